//! What the machine has, as far as the standard library knows. What it does not know is `None`, or no limit.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds since the first call in this process: no other process shares this clock.
pub fn monotonic_ns() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

pub fn usable_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub fn memory_limit() -> u64 {
    u64::MAX
}

pub fn memory_available() -> u64 {
    u64::MAX
}

pub fn oom_kills() -> Option<u64> {
    None
}
