//! A short spin before sleep: what comes within some microseconds is taken without a system call. Given up for a while
//! when it was in vain several times in a row.

use farm_sys::monotonic_ns;

const GIVE_UP_AFTER: u32 = 8;
const PAUSE_NS: u64 = 100_000_000;

pub struct Patience {
    ns: u64,
    in_vain: u32,
    not_before: u64,
}

impl Patience {
    /// Spins for up to `ns`; 0 for never.
    pub fn new(ns: u64) -> Self {
        Patience { ns, in_vain: 0, not_before: 0 }
    }

    /// True when `found` became true within the spin. `may` is asked first, once, and only when a spin is due.
    pub fn spin(&mut self, may: impl FnOnce() -> bool, found: impl Fn() -> bool) -> bool {
        if self.ns == 0 {
            return false;
        }
        let start = monotonic_ns();
        if start < self.not_before || !may() {
            return false;
        }
        let fruitful = loop {
            for _ in 0..16 {
                std::hint::spin_loop();
            }
            if found() {
                break true;
            }
            if monotonic_ns() - start > self.ns {
                break false;
            }
        };
        self.in_vain = if fruitful { 0 } else { self.in_vain + 1 };
        if self.in_vain >= GIVE_UP_AFTER {
            self.in_vain = 0;
            self.not_before = start + PAUSE_NS;
        }
        fruitful
    }
}
