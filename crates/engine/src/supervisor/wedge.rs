//! Looks at workers that hold a task for long, that do not take one which waits, or that do not leave: at their state, at
//! their CPU time, and whether their loop turns when it is rung. `pool::wedge` decides what that means.

use super::farm_state::{FarmState, Hands};
use super::lookout::{Finding, Lookout, Processes, INTERVAL};
use super::worker::Worker;
use crate::pool::wedge::{Limits, Look, Process, Seen};
use crate::pool::workers::{Cause, Event, Phase};
use crate::settings::Settings;
use farm_sys::usage::{group_ticks, process_state, ProcessState};
use std::sync::atomic::Ordering::*;

/// Between two looks, unless a limit is shorter.
const LONGEST: u64 = 250_000_000;
const SHORTEST: u64 = 25_000_000;

pub fn limits(settings: &Settings) -> Limits {
    Limits { stopped: settings.stopped, stalled: settings.stall, deaf: settings.deaf }
}

fn interval(limits: &Limits) -> u64 {
    let least = [limits.stopped, limits.stalled, limits.deaf].into_iter().flatten().min().unwrap_or(u64::MAX);
    (least / 4).clamp(SHORTEST, LONGEST)
}

/// The task that has been in a lane for longest, 0 for none.
fn oldest(worker: &Worker, lanes: usize) -> u64 {
    let stamps = (0..lanes).filter_map(|lane| worker.shared.own.read_stamp(lane));
    stamps.min_by_key(|stamp| stamp.since).map_or(0, |stamp| stamp.task)
}

impl FarmState {
    fn process(&self, index: u16) -> Option<ProcessState> {
        process_state(self.workers[usize::from(index)].as_ref().map_or(0, Worker::pid))
    }

    /// Returns when to come again.
    pub(super) fn look_for_wedged(&mut self, now: u64, hands: &Hands) -> u64 {
        let limits = limits(&self.shared.settings);
        let retiring = (0..self.workers.len()).any(|index| self.pool.phase(index) == Phase::Retiring);
        let reloading = self.pool.is_reloading();
        if self.halted || !(retiring || reloading || self.shared.watched.load(Relaxed)) {
            self.next_wedge = u64::MAX;
            return u64::MAX;
        }
        if self.next_wedge == u64::MAX {
            self.next_wedge = now + interval(&limits);
        }
        if now < self.next_wedge {
            return self.next_wedge;
        }
        self.next_wedge = now + interval(&limits);
        let ready = self.line.queue.queue.has_ready();
        for index in 0..self.workers.len() {
            let phase = self.pool.phase(index);
            if self.pool.is_paused(index) && !matches!(phase, Phase::Retiring | Phase::Starting) {
                continue;
            }
            // A worker that leaves may take its time, but not in a stop.
            let limits = Limits { deaf: limits.deaf.filter(|_| phase == Phase::Online), ..limits };
            if self.overstays(index, now) {
                self.handle(Event::Wedged { worker: index, cause: Cause::Teardown }, hands);
                continue;
            }
            let needed = match phase {
                // Somebody waits for it, be it only to be gone.
                Phase::Starting => reloading || self.shared.open.load(Relaxed) > 0,
                Phase::Retiring => true,
                Phase::Online => ready || self.lookout.claimant() == Some(index as u16),
                _ => continue,
            };
            let Some(worker) = &mut self.workers[index] else { continue };
            let has_loop = phase != Phase::Starting && worker.forked.is_none();
            let seen = look_at(worker, now, self.shared.settings.lanes, needed, has_loop, &limits);
            self.shared.activities[index].store(seen.activity as u8, Relaxed);
            if seen.ring {
                self.shared.ring(index as u16);
            }
            if let Some((cause, lasted)) = seen.kill {
                if let Some(worker) = &mut self.workers[index] {
                    worker.wedged_for = Some(lasted);
                }
                self.handle(Event::Wedged { worker: index, cause }, hands);
            }
        }
        self.next_wedge
    }

    /// A worker that was told to leave and has no task may take as long for that as for its start.
    fn overstays(&mut self, index: usize, now: u64) -> bool {
        let retiring = self.pool.phase(index) == Phase::Retiring && !self.pool.is_closing();
        let (lanes, limit) = (self.shared.settings.lanes, self.shared.settings.start);
        let Some(worker) = &mut self.workers[index] else { return false };
        if !retiring || oldest(worker, lanes) != 0 {
            worker.leaving_since = None;
            return false;
        }
        let lingers = now.saturating_sub(*worker.leaving_since.get_or_insert(now));
        worker.wedged_for = Some(lingers).filter(|lingers| *lingers >= limit).or(worker.wedged_for);
        lingers >= limit
    }

    /// Whoever should be awake is rung; a queue that cannot be as it is, is reported.
    pub(super) fn look_around(&mut self, now: u64, hands: &Hands) -> u64 {
        if self.halted {
            // Whatever time is set is over some time, and nobody would set another one.
            return u64::MAX;
        }
        if now < self.next_lookout {
            return self.next_lookout;
        }
        let workers: Vec<_> = self.each_alive().map(|(index, worker)| (index, worker.shared.clone())).collect();
        self.next_lookout = now + INTERVAL;
        let reaped: Vec<u16> = (0..self.workers.len())
            .filter(|index| self.pool.phase(*index) == Phase::Gone)
            .map(|index| index as u16)
            .collect();
        let mut lookout = std::mem::take(&mut self.lookout);
        let finding = lookout.look(&self.shared, &self.line, &workers, &reaped, self);
        self.lookout = lookout;
        match finding {
            Finding::Nothing => {}
            Finding::Quiet => {
                self.next_lookout = u64::MAX;
                self.lookout = Lookout::default();
                self.shared.watched.store(false, SeqCst);
                // A task opened between the look and this store found itself watched.
                if self.shared.open.load(SeqCst) > 0 {
                    self.shared.watched.store(true, SeqCst);
                    self.next_lookout = now + INTERVAL;
                }
            }
            Finding::Poison => {
                self.next_lookout = u64::MAX;
                self.shared.watched.store(false, SeqCst);
                self.poison(hands);
            }
        }
        self.next_lookout
    }
}

impl Processes for FarmState {
    /// Held by a stop signal or a debugger, or ended.
    fn stands_still(&self, worker: u16) -> bool {
        self.process(worker).is_some_and(|process| matches!(process.letter, 'T' | 't' | 'Z' | 'X'))
    }

    fn is_runnable(&self, worker: u16) -> bool {
        self.process(worker).is_some_and(|process| matches!(process.letter, 'R' | 'D'))
    }

    fn cpu(&self, worker: u16) -> Option<u64> {
        self.process(worker).map(|process| process.ticks)
    }

    fn takes_tasks(&self, worker: u16) -> bool {
        self.pool.phase(worker.into()) == Phase::Online && !self.pool.is_paused(worker.into())
    }
}

fn look_at(worker: &mut Worker, now: u64, lanes: usize, needed: bool, has_loop: bool, limits: &Limits) -> Seen {
    let task = oldest(worker, lanes);
    // What is seen for the first time is left for the next look: most tasks are gone by then.
    if !worker.watch.knows(task, needed) {
        return Seen::default();
    }
    let Some(state) = process_state(worker.pid()) else { return Seen::default() };
    let process = match state.letter {
        _ if worker.paused => Process::Held,
        'T' => Process::Stopped,
        't' => Process::Held,
        _ => Process::Runs,
    };
    // Finding its group means to look at all processes of the system.
    let group = if worker.watch.wants_group(now, limits) { group_ticks(worker.pid()) } else { None };
    // A worker that starts has no loop yet; a fork script's segment is written in this process: its beat is not that of its
    // loop.
    let beat = has_loop.then(|| worker.shared.own.beat().load(Relaxed));
    let runnable = state.letter == 'R';
    worker.watch.look(&Look { now, process, beat, cpu: state.ticks, runnable, group, task, needed }, limits)
}
