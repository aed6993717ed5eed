//! A short spin before sleep: a task that comes within some microseconds is taken without a system call. At most one
//! worker of a farm spins, only while a CPU is left for it, and not again for a while when it was in vain.

use crate::queue::Queue;
use farm_sys::monotonic_ns;

const GIVE_UP_AFTER: u32 = 8;
const PAUSE_NS: u64 = 100_000_000;

pub struct Spin {
    ns: u64,
    cpus: usize,
    in_vain: u32,
    not_before: u64,
}

impl Spin {
    pub fn new(ns: u64, cpus: usize) -> Self {
        Spin { ns: if cpus < 2 { 0 } else { ns }, cpus, in_vain: 0, not_before: 0 }
    }

    /// True when `found` became true within the spin.
    pub fn run(&mut self, queue: &Queue, worker: u16, found: impl Fn() -> bool) -> bool {
        if self.ns == 0 {
            return false;
        }
        let start = monotonic_ns();
        if start < self.not_before || !queue.may_spin(worker, self.cpus) {
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
        queue.stop_spinning(worker);
        if fruitful {
            self.in_vain = 0;
        } else {
            self.in_vain += 1;
            if self.in_vain >= GIVE_UP_AFTER {
                self.in_vain = 0;
                self.not_before = start + PAUSE_NS;
            }
        }
        fruitful
    }
}
