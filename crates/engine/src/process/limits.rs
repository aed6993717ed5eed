//! What a worker may use: what of it the system enforces, and the rules for what is watched. Decides only; times are ns
//! given by the caller.

use crate::settings::LimitSettings;
use farm_sys::Restrictions;
use serde::Serialize;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// A worker that is at work is looked at so often for its memory.
const MEMORY_LOOK: u64 = 25 * MS;
/// And so often while its share of CPU is limited.
const CPU_LOOK: u64 = 10 * MS;
/// One that is not.
const IDLE_LOOK: u64 = 250 * MS;
/// Share that was not used is kept for so long.
const BURST: u64 = 100 * MS;

impl LimitSettings {
    /// What the system does. `shared`: bytes that a worker's cgroup is charged with beside its own.
    pub fn restrictions(&self, shared: u64) -> Restrictions {
        Restrictions {
            files: self.files,
            processes: self.processes,
            group_memory: self.memory.map(|bytes| bytes.saturating_add(shared)),
            group_cpu: self.cpu,
            // Whoever watches is earlier, unless nobody can.
            cpu_seconds: self.cpu_time.map(|ns| ns.div_ceil(SECOND) + 1),
            nice: self.nice,
            affinity: self.affinity.clone(),
        }
    }

    /// Something is left to the supervisor.
    pub fn watched(&self) -> bool {
        self.memory.is_some() || self.cpu.is_some() || self.cpu_time.is_some()
    }
}

/// Which limit a worker went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub limit: &'static str,
    /// Bytes, or ms.
    pub allowed: u64,
    pub seen: u64,
}

impl Breach {
    pub fn memory(allowed: u64, seen: u64) -> Self {
        Breach { limit: "memory", allowed, seen }
    }

    pub fn cpu_time(allowed: u64, seen: u64) -> Self {
        Breach { limit: "cpuTime", allowed: allowed / MS, seen: seen.div_ceil(MS) }
    }
}

/// What one worker was seen to use.
#[derive(Debug, Default)]
pub struct Meter {
    pub next_look: u64,
    last_cpu: u64,
    duty: Option<Duty>,
}

/// What is to be done with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    Run,
    /// It has had more than its share for now.
    Pause,
    End(Breach),
}

impl Meter {
    /// `busy`: there are open tasks. `cpu`, `memory`: ns and bytes it uses.
    pub fn look(&mut self, limits: &LimitSettings, now: u64, busy: bool, cpu: u64, memory: u64) -> Ruling {
        let busy = busy || cpu > self.last_cpu;
        self.last_cpu = cpu;
        if let Some(allowed) = limits.memory.filter(|allowed| memory > *allowed) {
            return Ruling::End(Breach::memory(allowed, memory));
        }
        let mut next = now + if busy { MEMORY_LOOK } else { IDLE_LOOK };
        if let Some(allowed) = limits.cpu_time {
            if cpu > allowed {
                return Ruling::End(Breach::cpu_time(allowed, cpu));
            }
            // With one busy thread it gets there no earlier; with more it is found a little later.
            next = next.min(now + (allowed - cpu).max(MS));
        }
        let mut ruling = Ruling::Run;
        if let Some(share) = limits.cpu {
            let duty = self.duty.get_or_insert(Duty { since: now, used: cpu, debt: 0.0 });
            let pause = duty.look(share, now, cpu);
            if pause > 0 {
                ruling = Ruling::Pause;
                next = now + pause;
            } else if busy {
                next = next.min(now + CPU_LOOK);
            }
        }
        self.next_look = next;
        ruling
    }
}

/// A bucket of CPU time that fills by `share` of the time that passes.
#[derive(Debug)]
struct Duty {
    since: u64,
    used: u64,
    /// ns of CPU that were used beyond the share; below 0: left.
    debt: f64,
}

impl Duty {
    /// For how long it must pause.
    fn look(&mut self, share: f64, now: u64, used: u64) -> u64 {
        let more = used.saturating_sub(self.used) as f64 - share * now.saturating_sub(self.since) as f64;
        self.debt = (self.debt + more).max(-share * BURST as f64);
        (self.since, self.used) = (now, used);
        if self.debt > 0.0 {
            (self.debt / share).ceil() as u64
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(meter: &mut Meter, limits: &LimitSettings, at_ms: u64, cpu_ms: u64, memory: u64) -> (Ruling, u64) {
        let ruling = meter.look(limits, at_ms * MS, true, cpu_ms * MS, memory);
        (ruling, meter.next_look / MS)
    }

    #[test]
    fn more_memory_than_allowed_ends_it() {
        let limits = LimitSettings { memory: Some(100), ..Default::default() };
        let mut meter = Meter::default();
        assert_eq!(look(&mut meter, &limits, 0, 0, 100), (Ruling::Run, 25));
        assert_eq!(look(&mut meter, &limits, 25, 0, 101).0, Ruling::End(Breach::memory(100, 101)));
    }

    #[test]
    fn cpu_time_is_looked_at_when_it_may_be_over() {
        let limits = LimitSettings { cpu_time: Some(30 * MS), ..Default::default() };
        let mut meter = Meter::default();
        assert_eq!(look(&mut meter, &limits, 0, 0, 0), (Ruling::Run, 25));
        assert_eq!(look(&mut meter, &limits, 25, 25, 0), (Ruling::Run, 30));
        let breach = Breach { limit: "cpuTime", allowed: 30, seen: 31 };
        assert_eq!(look(&mut meter, &limits, 31, 31, 0).0, Ruling::End(breach));
    }

    #[test]
    fn the_system_has_a_backstop_for_cpu_time() {
        let limits = LimitSettings { cpu_time: Some(1500 * MS), ..Default::default() };
        assert_eq!(limits.restrictions(0).cpu_seconds, Some(3));
    }

    #[test]
    fn a_share_of_a_cpu_is_kept_over_time() {
        let limits = LimitSettings { cpu: Some(0.25), ..Default::default() };
        let mut meter = Meter::default();
        let (mut now, mut used) = (0, 0);
        while now < 10_000 * MS {
            let ruling = meter.look(&limits, now, true, used, 0);
            let passed = meter.next_look - now;
            used += if ruling == Ruling::Run { passed } else { 0 };
            now += passed;
        }
        let share = used as f64 / now as f64;
        assert!((0.24..0.26).contains(&share), "{share}");
    }

    #[test]
    fn what_was_not_used_is_not_saved_up() {
        let limits = LimitSettings { cpu: Some(0.5), ..Default::default() };
        let mut meter = Meter::default();
        look(&mut meter, &limits, 0, 0, 0);
        look(&mut meter, &limits, 60_000, 0, 0);
        assert_eq!(look(&mut meter, &limits, 60_100, 100, 0).0, Ruling::Run);
        assert_eq!(look(&mut meter, &limits, 60_200, 200, 0).0, Ruling::Pause);
    }

    #[test]
    fn a_worker_that_does_nothing_is_left_alone() {
        let limits = LimitSettings { memory: Some(100), cpu: Some(0.5), ..Default::default() };
        let mut meter = Meter::default();
        assert_eq!(meter.look(&limits, 0, false, 0, 0), Ruling::Run);
        assert_eq!(meter.next_look, IDLE_LOOK);
        meter.look(&limits, IDLE_LOOK, false, 1, 0);
        assert_eq!(meter.next_look, IDLE_LOOK + CPU_LOOK);
    }
}
