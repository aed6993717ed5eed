//! What the passing of time does to tasks and idle workers: timeouts, cancels on the ladder, idling.

use super::farm_state::{FarmState, Hands};
use crate::pool::workers::{Cause, Event, Phase};
use crate::shared::FarmEvent;
use farm_sys::{monotonic_ns, usage::is_runnable};
use farm_transport::{Entry, Kind};
use std::sync::atomic::Ordering::*;

/// Workers that are at work are looked at for idleness no more often than this.
const IDLE_LOOK: u64 = 10_000_000;

impl FarmState {
    /// Revokes what has run longer than it may. No claim made after `now` can expire before `now + least timeout`.
    pub(super) fn expire(&mut self, now: u64, hands: &Hands) -> u64 {
        // The smallest timeout is for the JavaScript thread to say: a task may be published while this thread looks.
        if self.shared.timed.load(Acquire) == 0 {
            return u64::MAX;
        }
        let mut next = now.saturating_add(self.shared.least_timeout.load(Acquire));
        let mut expired = Vec::new();
        for (index, worker) in self.each_alive() {
            for lane in 0..self.shared.settings.lanes {
                let Some(stamp) = worker.shared.own.read_stamp(lane) else { continue };
                let (slot, turn) = (Entry(stamp.task).slot(), Entry(stamp.task).turn());
                let Some(truth) = self.shared.truth.get(slot as usize) else { continue };
                let timeout = truth.timeout.load(Acquire);
                if timeout == 0 || truth.turn.load(Acquire) != turn {
                    continue;
                }
                let at = worker.started(lane, stamp, now).saturating_add(timeout);
                if at > now {
                    next = next.min(at);
                } else if self.line.queue.queue.revoke(slot, turn, index) {
                    expired.push((index as usize, slot, turn));
                }
            }
        }
        for (worker, slot, turn) in expired {
            self.shared.post(FarmEvent::TimedOut { slot, turn });
            self.handle(Event::Revoked { worker, turn, cause: Cause::Timeout }, hands);
        }
        next
    }

    /// What became of cancels that were mailed: acknowledged, or the task let go.
    pub(super) fn follow_cancels(&mut self, hands: &Hands) {
        let cancels: Vec<_> = self.pool.cancels().collect();
        for (worker, turn) in cancels {
            let Some(state) = &self.workers[worker] else { continue };
            let held = self.shared.truth.iter().enumerate().any(|(slot, truth)| {
                truth.turn.load(Acquire) == turn && self.line.queue.queue.state(slot as u32).kind() == Kind::Revoked
            });
            if !held {
                self.handle(Event::Released { worker, turn }, hands);
                // A cancel that came while this one was on the ladder takes its place there.
                for turn in self.shared.revoked_of(&self.line, worker) {
                    let cause = self.why_revoked(worker, turn);
                    self.handle(Event::Revoked { worker, turn, cause }, hands);
                }
            } else if (0..self.shared.settings.lanes).any(|lane| state.shared.own.ack(lane).load(Acquire) == turn) {
                self.handle(Event::Acknowledged { worker, turn }, hands);
            }
        }
    }

    /// Whether a worker that does not acknowledge a cancel has waited for a CPU.
    pub(super) fn examine(&mut self, index: usize, hands: &Hands) {
        let seen = self.workers[index].as_ref().and_then(|worker| Some((worker.cpu_since_cancel()?, worker.pid())));
        // Of one that nobody knows anything about nothing more is expected.
        let (cpu, runnable) = seen.map_or((0, false), |(cpu, pid)| (cpu, is_runnable(pid)));
        self.handle(Event::Examined { worker: index, cpu, runnable }, hands);
    }

    /// A task of this worker that was revoked has run out of time, or else its caller has given it up.
    pub(super) fn why_revoked(&self, worker: usize, turn: u64) -> Cause {
        let Some(state) = &self.workers[worker] else { return Cause::Cancel };
        let now = monotonic_ns();
        let mut lanes = 0..self.shared.settings.lanes;
        let late = lanes.any(|lane| {
            let Some(stamp) = state.shared.own.read_stamp(lane) else { return false };
            let truth = self.shared.truth.get(Entry(stamp.task).slot() as usize);
            let timeout = truth.map_or(0, |truth| truth.timeout.load(Acquire));
            let its = Entry(stamp.task).turn() == turn && timeout > 0;
            its && state.started(lane, stamp, now).saturating_add(timeout) <= now
        });
        if late {
            Cause::Timeout
        } else {
            Cause::Cancel
        }
    }

    pub(super) fn retire_idle(&mut self, now: u64, hands: &Hands) -> u64 {
        let Some(idle) = self.pool.limits().idle.filter(|_| self.pool.may_shrink()) else { return u64::MAX };
        let mut next = u64::MAX;
        let since: Vec<_> = self
            .each_alive()
            .map(|(index, worker)| (index as usize, worker.shared.own.idle_since().load(Relaxed)))
            .collect();
        for (worker, since) in since {
            if self.pool.phase(worker) != Phase::Online || self.pool.is_paused(worker) {
                continue;
            }
            if since == 0 {
                // It is at work; its next rest begins later.
                next = next.min(now.saturating_add(idle.max(IDLE_LOOK)));
                continue;
            }
            let since = since.min(now);
            if since.saturating_add(idle) <= now {
                self.handle(Event::Idle { worker, since }, hands);
            } else {
                next = next.min(since.saturating_add(idle));
            }
        }
        next
    }
}
