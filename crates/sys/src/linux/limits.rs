//! What the system holds a child to: rlimits, nice value, CPUs. Put on it from outside, right after it runs its program
//! and long before it runs anybody's code.

use super::cgroup::Group;
use crate::{Error, Restrictions, Result};
use rustix::io::Errno;
use rustix::process::{getrlimit, prlimit, setpriority_process, setrlimit, Pid, Resource, Rlimit};
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};
use std::collections::HashSet;
use std::fs;

fn refused(limit: &'static str, why: impl ToString) -> Error {
    Error::Limit { limit, why: why.to_string() }
}

/// Whether this process may put these on a child; tried where that is possible.
pub fn refusal(wanted: &Restrictions) -> Result<()> {
    if let (Some(files), Some(most)) = (wanted.files, getrlimit(Resource::Nofile).maximum) {
        if files > most {
            return Err(refused("files", format!("this process may have no more than {most} (its hard limit)")));
        }
    }
    // Filters of system calls may know these not: tried without a change.
    let by_rlimit = [("files", wanted.files), ("cpuTime", wanted.cpu_seconds), ("processes", wanted.processes)];
    if let Some((limit, _)) = by_rlimit.into_iter().find(|(_, value)| value.is_some()) {
        setrlimit(Resource::Nofile, getrlimit(Resource::Nofile)).map_err(|error| refused(limit, error))?;
    }
    if !wanted.affinity.is_empty() {
        let tried = std::thread::spawn(|| sched_setaffinity(None, &sched_getaffinity(None)?)).join();
        if let Ok(Err(error)) = tried {
            return Err(refused("affinity", error));
        }
    }
    if wanted.processes.is_some() && exempt_from_nproc() && !super::cgroup::can_limit_processes() {
        return Err(refused(
            "processes",
            "no cgroup is delegated to this process, and the system's limit by user exempts it (root, or CAP_SYS_RESOURCE)",
        ));
    }
    if let Some(nice) = wanted.nice {
        // The value belongs to a thread: one of no other use tries it.
        let tried = std::thread::spawn(move || setpriority_process(None, nice)).join();
        if !matches!(tried, Ok(Ok(()))) {
            return Err(refused("nice", format!("{nice} needs a privilege that this process has not (CAP_SYS_NICE)")));
        }
    }
    Ok(())
}

/// The kernel asks for the user first, then for these.
fn exempt_from_nproc() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    const CAP_SYS_RESOURCE: u64 = 1 << 24;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = capabilities.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    rustix::process::getuid().is_root() || effective & (CAP_SYS_ADMIN | CAP_SYS_RESOURCE) != 0
}

/// Numbers of the CPUs that this process may run on.
pub fn usable_cpu_numbers() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

/// `group`: the one that the child will have.
pub(super) fn apply(pid: Pid, wanted: &Restrictions, group: Option<&Group>) -> Result<()> {
    let by_user = wanted.processes.filter(|_| !group.is_some_and(|group| group.limits_processes));
    let limit = |name, resource, value: Option<u64>, hard: u64| {
        let Some(value) = value else { return Ok(()) };
        let limit = Rlimit { current: Some(value), maximum: Some(hard) };
        prlimit(Some(pid), resource, limit).map(drop).map_err(|error| refused(name, error))
    };
    limit("files", Resource::Nofile, wanted.files, wanted.files.unwrap_or(0))?;
    limit("processes", Resource::Nproc, by_user, by_user.unwrap_or(0))?;
    // SIGXCPU first: by it the end is told from one that somebody else has brought about.
    limit("cpuTime", Resource::Cpu, wanted.cpu_seconds, wanted.cpu_seconds.map_or(0, |seconds| seconds + 1))?;
    if let Some(nice) = wanted.nice {
        each_thread(pid, |thread| setpriority_process(Some(thread), nice)).map_err(|error| refused("nice", error))?;
    }
    if !wanted.affinity.is_empty() {
        let mut set = CpuSet::new();
        wanted.affinity.iter().filter(|cpu| **cpu < CpuSet::MAX_CPU).for_each(|cpu| set.set(*cpu));
        each_thread(pid, |thread| sched_setaffinity(Some(thread), &set)).map_err(|error| refused("affinity", error))?;
    }
    Ok(())
}

/// Nice values and CPUs belong to threads and pass to those they start: mostly there is one yet.
fn each_thread(pid: Pid, act: impl Fn(Pid) -> rustix::io::Result<()>) -> rustix::io::Result<()> {
    let mut done = HashSet::new();
    loop {
        let threads = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()));
        let ids = threads.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let fresh: Vec<i32> = ids.filter(|id| done.insert(*id)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        for thread in fresh.into_iter().filter_map(Pid::from_raw) {
            match act(thread) {
                // It has ended meanwhile.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_may_not_give_is_refused_by_name() {
        let hard = getrlimit(Resource::Nofile).maximum;
        if let Some(most) = hard.filter(|most| *most < u64::MAX) {
            let error = refusal(&Restrictions { files: Some(most + 1), ..Default::default() }).unwrap_err();
            assert!(error.to_string().starts_with("limits.files cannot be enforced here"), "{error}");
        }
        assert!(refusal(&Restrictions { nice: Some(19), ..Default::default() }).is_ok());
    }

    #[test]
    fn trying_a_nice_value_leaves_this_process_as_it_was() {
        let before = rustix::process::getpriority_process(None).unwrap();
        refusal(&Restrictions { nice: Some(19), ..Default::default() }).unwrap();
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
