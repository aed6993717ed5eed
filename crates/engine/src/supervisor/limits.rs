//! Holds workers to those of their limits that the system does not enforce by itself: looks at what they use, pauses one
//! that has had its share of CPU, ends one that went over.

use super::farm_state::{FarmState, Hands};
use super::worker::Worker;
use crate::pool::workers::Event;
use crate::process::{Breach, Ruling};
use crate::settings::LimitSettings;
use farm_sys::usage::{cpu_ns, private_bytes};
use farm_sys::{Child, ExitStatus};
use std::sync::atomic::Ordering::*;

const SIGKILL: i32 = 9;
const SIGCONT: i32 = 18;
const SIGSTOP: i32 = 19;
const SIGXCPU: i32 = 24;

impl FarmState {
    /// Returns when to come again.
    pub(super) fn hold_to_limits(&mut self, now: u64, hands: &Hands) -> u64 {
        let limits = &self.shared.settings.limits;
        if !limits.watched() {
            return u64::MAX;
        }
        let busy = self.shared.open.load(Relaxed) > 0;
        let mut next = u64::MAX;
        let mut breaches = Vec::new();
        for (index, worker) in self.workers.iter_mut().enumerate() {
            let Some(worker) = worker else { continue };
            // One that shall let go of a task, or has been told to end, must hear it.
            let may_pause = !self.pool.must_hear(index);
            if !may_pause {
                worker.go_on();
            }
            match worker.measure(limits, now, busy) {
                Some(Ruling::End(breach)) => {
                    worker.breach = Some(breach);
                    breaches.push(index);
                }
                Some(Ruling::Pause) if may_pause => worker.pause(),
                Some(_) => worker.go_on(),
                None => {}
            }
            if worker.breach.is_none() && worker.child.is_some() {
                next = next.min(worker.meter.next_look);
            }
        }
        for worker in breaches {
            self.handle(Event::Breached(worker), hands);
        }
        next
    }
}

impl Worker {
    /// `None` when it is not time yet, or it has ended.
    fn measure(&mut self, limits: &LimitSettings, now: u64, busy: bool) -> Option<Ruling> {
        let child = self.child.as_ref()?;
        if now < self.meter.next_look || self.breach.is_some() {
            return None;
        }
        let pid = child.pid();
        let memory = match limits.memory {
            Some(_) => private_bytes(pid).unwrap_or(0),
            None => 0,
        };
        self.most_memory.saw(memory);
        Some(self.meter.look(limits, now, busy, cpu_ns(pid).unwrap_or(0), memory))
    }

    fn pause(&mut self) {
        if let Some(child) = self.child.as_ref().filter(|_| !self.paused) {
            self.paused = child.signal(SIGSTOP).is_ok();
        }
    }

    /// Ends a pause, if it is in one.
    pub(super) fn go_on(&mut self) {
        if let Some(child) = self.child.as_ref().filter(|_| self.paused) {
            self.paused = child.signal(SIGCONT).is_err();
        }
    }

    /// The breach for which it was ended, also where the system was the one to see it.
    pub(super) fn breach(&self, limits: &LimitSettings, status: &ExitStatus) -> Option<Breach> {
        let by_system = || {
            if status.signal == Some(SIGXCPU) {
                return limits.cpu_time.map(|allowed| Breach::cpu_time(allowed, status.cpu_ns.unwrap_or(allowed)));
            }
            let killed = status.signal == Some(SIGKILL) && self.cause.is_none();
            let out_of_memory = killed && self.child.as_ref().is_some_and(Child::ran_out_of_group_memory);
            let allowed = limits.memory.filter(|_| out_of_memory)?;
            // Between two looks, or by what it has started.
            Some(Breach::memory(allowed, self.most_memory.total(status.max_resident).unwrap_or(allowed).max(allowed)))
        };
        self.breach.or_else(by_system)
    }
}
