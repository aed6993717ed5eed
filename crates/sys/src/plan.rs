//! A spawn as plain data: what to run, with what, in which place. Carried out by `spawn`.

use crate::Fd;
use std::ffi::OsString;

/// Which file is started and what it is told.
#[derive(Debug, Clone)]
pub struct Program {
    /// With a slash: this file. Without: looked up in `PATH`.
    pub path: OsString,
    /// What a process list shows in place of the path (argv[0]).
    pub shown_as: Option<OsString>,
    /// Arguments after argv[0].
    pub args: Vec<OsString>,
    /// The complete environment, `KEY=value`.
    pub env: Vec<OsString>,
    pub cwd: Option<OsString>,
}

/// Where one of the descriptors 0–2 of the child leads.
#[derive(Debug)]
pub enum Stdio {
    /// The parent's descriptor of the same number.
    Inherit,
    Null,
    Fd(Fd),
}

#[derive(Debug)]
pub struct SpawnPlan {
    pub program: Program,
    pub stdio: [Stdio; 3],
    /// Further descriptors and the numbers they get in the child.
    pub pass: Vec<(Fd, i32)>,
    /// A session of its own, out of reach of the terminal; otherwise a process group of its own.
    pub session: bool,
    /// What it starts is to end with it, also what leaves its process group: it gets a cgroup, where one can be made.
    pub tree: bool,
    pub restrictions: Restrictions,
}

/// What the system holds a child to, from the moment at which it runs its program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restrictions {
    /// The smallest descriptor number that it cannot have.
    pub files: Option<u64>,
    /// Processes and threads: its own where it has a cgroup, else those of its user.
    pub processes: Option<u64>,
    /// Bytes of memory and CPUs' worth of time of its cgroup, if it has one; shared memory that it touches first counts.
    pub group_memory: Option<u64>,
    pub group_cpu: Option<f64>,
    /// Seconds of CPU time; a backstop, since the system knows no smaller unit.
    pub cpu_seconds: Option<u64>,
    pub nice: Option<i32>,
    /// Numbers of the CPUs it may run on; empty: those of this process.
    pub affinity: Vec<usize>,
}

/// How a process ended. All `None`: it was reaped by somebody else and its status is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitStatus {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// CPU time of the process and of the children it has waited for.
    pub cpu_ns: Option<u64>,
    /// The most bytes it had in memory at a time; `None` also where the system cannot tell them from its parent's.
    pub max_resident: Option<u64>,
}
