//! What the machine and a process have and use: clock, CPUs, memory, state.

use rustix::time::{clock_gettime, ClockId};
use std::fs;

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of the machine.
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// CPUs this process may use: affinity and cgroup v1/v2 quota included (the standard library reads both).
pub fn usable_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn meminfo(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The cgroup v2 folder of this process, from `/proc/self/cgroup`.
fn cgroup() -> Option<String> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(format!("/sys/fs/cgroup{path}"))
}

/// Limit and use of each memory cgroup above this process, as far as they are set.
fn cgroup_memory() -> impl Iterator<Item = (u64, u64)> {
    let mut folders = Vec::new();
    let mut folder = cgroup();
    while let Some(path) = folder.filter(|path| path.starts_with("/sys/fs/cgroup")) {
        folder = path.rfind('/').map(|cut| path[..cut].to_string());
        folders.push(path);
    }
    let v2 = folders.into_iter().filter_map(|path| {
        let limit = number(&format!("{path}/memory.max"))?;
        Some((limit, number(&format!("{path}/memory.current")).unwrap_or(0)))
    });
    let v1 = number("/sys/fs/cgroup/memory/memory.limit_in_bytes")
        .map(|limit| (limit, number("/sys/fs/cgroup/memory/memory.usage_in_bytes").unwrap_or(0)));
    v2.chain(v1)
}

/// Bytes this process may ever use: the machine's memory or the tightest cgroup limit.
pub fn memory_limit() -> u64 {
    let machine = meminfo("MemTotal:").unwrap_or(u64::MAX);
    cgroup_memory().map(|(limit, _)| limit).fold(machine, u64::min)
}

/// Bytes that can still be taken before something is killed for it.
pub fn memory_available() -> u64 {
    let machine = meminfo("MemAvailable:").unwrap_or(u64::MAX);
    cgroup_memory().map(|(limit, used)| limit.saturating_sub(used)).fold(machine, u64::min)
}

/// How many processes the kernel has killed for memory: in the cgroup of this process, or on the machine where that
/// cannot be read. Only its rise says something.
pub fn oom_kills() -> Option<u64> {
    let of = |path: &str| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
    };
    let v1 = || {
        let text = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = text.lines().find_map(|line| line.split_once(":memory:"))?.1;
        of(&format!("/sys/fs/cgroup/memory{path}/memory.oom_control"))
    };
    let v2 = || of(&format!("{}/memory.events", cgroup()?));
    v2().or_else(v1).or_else(|| of("/proc/vmstat"))
}
