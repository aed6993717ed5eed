//! What dead workers leave for a moment: cgroups in which something that was killed has not ended yet. They are removed as
//! soon as that has.

use farm_sys::guarding::clear_groups;

/// Most of them are empty when this (ns) has passed once or twice; each look that finds one doubles it.
const SOON: u64 = 2_000_000;
/// What hangs in the kernel is asked after no more often.
const LATER: u64 = 1_000_000_000;

#[derive(Default)]
pub struct Remains {
    wait: u64,
    next_look: u64,
}

impl Remains {
    /// When to look again.
    pub fn tick(&mut self, now: u64) -> u64 {
        self.tick_with(now, clear_groups)
    }

    fn tick_with(&mut self, now: u64, clear: impl FnOnce() -> bool) -> u64 {
        if now < self.next_look {
            return self.next_look;
        }
        if clear() {
            *self = Remains::default();
            return u64::MAX;
        }
        self.wait = (self.wait * 2).clamp(SOON, LATER);
        self.next_look = now + self.wait;
        self.next_look
    }

    /// None is left.
    pub fn are_gone(&self) -> bool {
        self.wait == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_until_all_is_gone_and_ever_less_often() {
        let mut remains = Remains::default();
        assert_eq!(remains.tick_with(10, || true), u64::MAX);
        assert!(remains.are_gone());
        assert_eq!(remains.tick_with(20, || false), 20 + SOON);
        assert!(!remains.are_gone());
        assert_eq!(remains.tick_with(30, || panic!("too early")), 20 + SOON);
        let mut now = 20 + SOON;
        for _ in 0..20 {
            now = remains.tick_with(now, || false);
        }
        assert_eq!(remains.tick_with(now, || false), now + LATER);
        assert_eq!(remains.tick_with(now + LATER, || true), u64::MAX);
        assert!(remains.are_gone());
    }
}
