//! What the machine and a process have and use: clock, CPUs, memory, state.

use super::cgroup_mount::{own, Own, V2};
use rustix::time::{clock_gettime, ClockId};
use std::fs;
use std::path::Path;

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of the machine.
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// CPUs this process may use: affinity and cgroup v1/v2 quota included (the standard library reads both).
pub fn usable_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn meminfo(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Limit and use of each memory cgroup that this process is in, as far as they are set.
fn cgroup_memory() -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for (hierarchy, most, used) in
        [(V2, "memory.max", "memory.current"), ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes")]
    {
        for folder in own(hierarchy).iter().flat_map(Own::upward) {
            if let Some(limit) = number(&folder.join(most)) {
                found.push((limit, number(&folder.join(used)).unwrap_or(0)));
            }
        }
    }
    found
}

/// Bytes this process may ever use: the machine's memory or the tightest cgroup limit.
pub fn memory_limit() -> u64 {
    let machine = meminfo("MemTotal:").unwrap_or(u64::MAX);
    cgroup_memory().into_iter().map(|(limit, _)| limit).fold(machine, u64::min)
}

/// Bytes that can still be taken before something is killed for it.
pub fn memory_available() -> u64 {
    let machine = meminfo("MemAvailable:").unwrap_or(u64::MAX);
    cgroup_memory().into_iter().map(|(limit, used)| limit.saturating_sub(used)).fold(machine, u64::min)
}

/// How many processes the kernel has killed for memory: in the cgroup of this process, or on the machine where that
/// cannot be read. Only its rise says something.
pub fn oom_kills() -> Option<u64> {
    let of = |path: &Path| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
    };
    let at = |hierarchy: &str, file: &str| own(hierarchy).iter().find_map(|own| of(&own.folder.join(file)));
    at(V2, "memory.events").or_else(|| at("memory", "memory.oom_control")).or_else(|| of(Path::new("/proc/vmstat")))
}
