//! Whether there is memory for a block, before it is touched: running out kills a process instead of failing a call.

use super::Arena;
use farm_sys::{memory_available, monotonic_ns};

/// From this size on the system is asked.
const ASK_FROM: u64 = 1 << 20;
const ASK_AGAIN_NS: u64 = 100_000_000;

/// What may be in use of one arena.
pub struct Budget {
    most: u64,
    /// When the system was asked (ns), and how many bytes it had.
    asked: (u64, u64),
}

impl Budget {
    pub fn new(most: u64) -> Self {
        Budget { most, asked: (0, 0) }
    }

    /// The system is not asked.
    pub fn fits(&self, arena: &Arena, bytes: u64) -> bool {
        arena.used().saturating_add(bytes) <= self.most
    }

    pub fn admits(&mut self, arena: &mut Arena, bytes: u64) -> bool {
        if !self.fits(arena, bytes) {
            return false;
        }
        if bytes < ASK_FROM {
            return true;
        }
        let now = monotonic_ns();
        if now - self.asked.0 > ASK_AGAIN_NS || bytes > ASK_FROM * 16 {
            self.asked = (now, memory_available());
        }
        // A sixteenth stays for everybody else.
        let is_enough = |available: u64| bytes < available - available / 16;
        if is_enough(self.asked.1) {
            return true;
        }
        // What is kept for later blocks may be what is missing.
        if arena.cool() {
            self.asked = (now, memory_available());
        }
        is_enough(self.asked.1)
    }
}
