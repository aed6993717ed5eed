//! THE SYSTEM: the only crate that names an operating system, and a home of unsafe code.
//!
//! Every item below exists on every target under the same name. Where a system lacks the ability, the call answers
//! [`Error::Unsupported`]; nothing is silently skipped.

mod error;
mod fault;
mod groups;
pub mod guarding;
mod plan;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod os;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported/mod.rs"]
mod os;
#[cfg(unix)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]
mod unix;

pub use error::{Error, Result};
pub use fault::is_fault_forced;
pub use plan::{ExitStatus, Program, Restrictions, SpawnPlan, Stdio};

pub use os::limits;
pub use os::process_usage as usage;
pub use os::{
    die_with_parent, give_pulse, ignore_interrupts, library, lifeline, make_room, memory_available, memory_limit,
    monotonic_ns, oom_kills, pipe, spawn, take_turns, usable_cpus, watch_line, write_own_output, Child, Doorbell, Fd,
    Line, Memory, Poller, FDS_PER_MESSAGE, SUPPORTED,
};
