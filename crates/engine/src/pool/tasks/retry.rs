//! Whether a task that has failed is tried again, and when. The state of those that may be is kept apart, since most may not.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Before the first retry, ns; twice as long before each further one, up to the longest.
const BACK_OFF: u64 = 100_000_000;
const LONGEST_BACK_OFF: u64 = 5_000_000_000;

/// How an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its worker ended.
    Exit,
    Timeout,
    /// Its code threw or rejected.
    Error,
}

/// How often, and after which failures, a task is tried again; and who goes before whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
    pub retries: u32,
    /// Bits of `Plan::bit`.
    pub retry_on: u8,
    pub priority: i16,
}

impl Plan {
    pub fn bit(failure: Failure) -> u8 {
        1 << failure as u8
    }

    pub fn covers(&self, failure: Failure) -> bool {
        self.retries > 0 && self.retry_on & Plan::bit(failure) != 0
    }
}

/// What time it is, and a number that nobody can tell in advance.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: u64,
    pub jitter: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Final { quarantined: bool },
    After(u64),
}

struct Trial {
    plan: Plan,
    failed: u32,
    crashes: u32,
}

/// The tasks that may be retried.
#[derive(Default)]
pub struct Trials {
    by_id: HashMap<u32, Trial>,
    /// When, place and number of those in their back-off.
    resting: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// Nothing is retried any more.
    pub ended: bool,
}

impl Trials {
    pub fn add(&mut self, id: u32, plan: Plan) {
        self.by_id.insert(id, Trial { plan, failed: 0, crashes: 0 });
    }

    pub fn remove(&mut self, id: u32) {
        self.by_id.remove(&id);
    }

    /// 1 for the first.
    pub fn attempt(&self, id: u32) -> u32 {
        self.by_id.get(&id).map_or(1, |trial| trial.failed + 1)
    }

    pub fn covers(&self, id: u32, failure: Failure) -> bool {
        !self.ended && self.by_id.get(&id).is_some_and(|trial| trial.plan.covers(failure))
    }

    /// What one more failure would mean.
    pub fn judge(&self, id: u32, failure: Failure, max_crashes: u32, moment: Moment) -> Verdict {
        let left = |trial: &&Trial| trial.plan.covers(failure) && trial.failed < trial.plan.retries && !self.ended;
        let Some(trial) = self.by_id.get(&id).filter(left) else { return Verdict::Final { quarantined: false } };
        if failure == Failure::Exit && trial.crashes + 1 >= max_crashes {
            return Verdict::Final { quarantined: true };
        }
        Verdict::After(moment.now.saturating_add(back_off(trial.failed, moment.jitter)))
    }

    pub fn count(&mut self, id: u32, failure: Failure) {
        if let Some(trial) = self.by_id.get_mut(&id) {
            trial.failed += 1;
            trial.crashes += u32::from(failure == Failure::Exit);
        }
    }

    pub fn rest(&mut self, id: u32, place: u64, until: u64) {
        self.resting.push(Reverse((until, place, id)));
    }

    /// When the first back-off ends, of those that are still good.
    pub fn deadline(&mut self, good: impl Fn(u32, u64) -> bool) -> Option<u64> {
        while let Some(Reverse((until, place, id))) = self.resting.peek() {
            if good(*id, *place) {
                return Some(*until);
            }
            self.resting.pop();
        }
        None
    }

    /// Those whose back-off has ended by now.
    pub fn due(&mut self, now: u64) -> Vec<(u32, u64)> {
        let mut due = Vec::new();
        while let Some(Reverse((until, place, id))) = self.resting.peek().copied() {
            if until > now {
                break;
            }
            self.resting.pop();
            due.push((id, place));
        }
        due
    }

    pub fn clear(&mut self) {
        self.by_id.clear();
        self.resting.clear();
    }
}

/// Half of the wait is by chance, so that tasks that failed together do not come back together.
fn back_off(failed: u32, jitter: u64) -> u64 {
    let whole = BACK_OFF.saturating_mul(1 << failed.min(20)).min(LONGEST_BACK_OFF);
    whole / 2 + jitter % (whole / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_half_of_it_is_chance() {
        let ms = |failed, jitter| back_off(failed, jitter) / 1_000_000;
        assert_eq!([0, 1, 2, 5, 6, 60].map(|failed| ms(failed, 0)), [50, 100, 200, 1600, 2500, 2500]);
        for jitter in [1, 12_345_678_901, u64::MAX] {
            assert!((50..=100).contains(&ms(0, jitter)) && (2500..=5000).contains(&ms(9, jitter)));
        }
    }
}
