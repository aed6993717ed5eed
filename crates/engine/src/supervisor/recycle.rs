//! Finds workers that have had their time: by age, and by the memory that they keep. (By tasks each counts for itself.)

use super::farm_state::{FarmState, Hands};
use crate::pool::workers::{Event, Phase};
use farm_sys::usage::private_bytes;
use std::sync::atomic::Ordering::*;

/// Between two looks at a worker's memory while there are tasks.
const LOOK: u64 = 250_000_000;

/// 0.9 to 1.1, another one for each worker: what started together is not replaced together.
pub fn jitter(farm: u32, worker: usize, started: u64) -> f64 {
    // The finalizer of splitmix64 (Steele, Lea and Flood, 2014).
    let mut mixed = started ^ u64::from(farm) << 32 ^ (worker as u64) << 17;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    0.9 + 0.2 * (mixed >> 11) as f64 / (1u64 << 53) as f64
}

/// A limit for one worker; at least 1.
pub fn jittered(limit: u64, jitter: f64) -> u64 {
    ((limit as f64 * jitter) as u64).max(1)
}

impl FarmState {
    /// Returns when to come again.
    pub(super) fn recycle(&mut self, now: u64, hands: &Hands) -> u64 {
        let limits = &self.shared.settings.recycle;
        if limits.age.is_none() && limits.memory.is_none() {
            return u64::MAX;
        }
        let looks = limits.memory.is_some() && now >= self.next_memory_look;
        let mut next = u64::MAX;
        let mut worn = Vec::new();
        for (index, worker) in self.each_alive() {
            let index = usize::from(index);
            if self.pool.phase(index) != Phase::Online || self.pool.is_worn(index) {
                continue;
            }
            let jitter = jitter(self.shared.id, index, worker.spawned_at);
            let old = limits.age.map(|age| worker.spawned_at.saturating_add(jittered(age, jitter)));
            let large = |limit| private_bytes(worker.pid()).is_some_and(|bytes| bytes > jittered(limit, jitter));
            if old.is_some_and(|at| at <= now) || looks && limits.memory.is_some_and(large) {
                worn.push(index);
            } else {
                next = next.min(old.unwrap_or(u64::MAX));
            }
        }
        if looks {
            self.next_memory_look = now + LOOK;
        }
        for worker in worn {
            self.handle(Event::Worn(worker), hands);
        }
        let busy = self.shared.settings.recycle.memory.is_some() && self.shared.open.load(Relaxed) > 0;
        next.min(if busy { self.next_memory_look } else { u64::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_a_tenth_up_or_down_and_differs() {
        let all: Vec<f64> = (0..1000).map(|worker| jitter(1, worker, 12345)).collect();
        assert!(all.iter().all(|jitter| (0.9..=1.1).contains(jitter)));
        assert!(all.iter().any(|jitter| *jitter < 0.92) && all.iter().any(|jitter| *jitter > 1.08));
        assert_eq!(jittered(1, 0.9), 1);
    }
}
