//! Systems that farm does not run on yet: every ability answers `Unsupported`, so that the seams stay real and the other
//! crates type-check. What such a system would own (descriptors, mappings, children) cannot exist here, and the types say
//! so: they have no values.

mod child;
pub mod guarding;
#[cfg(not(unix))]
pub mod library;
pub mod limits;
mod line;
mod memory;
pub mod process_usage;
mod usage;

#[cfg(unix)]
pub use crate::unix::library;
pub use child::{die_with_parent, give_pulse, ignore_interrupts, make_room, spawn, take_turns, watch_line, Child};
pub use line::{lifeline, pipe, write_own_output, Doorbell, Fd, Line, Poller, FDS_PER_MESSAGE};
pub use memory::Memory;
pub use usage::{memory_available, memory_limit, monotonic_ns, oom_kills, usable_cpus};

use crate::Error;

/// True where farms can be made.
pub const SUPPORTED: bool = false;

/// Has no values. Behind a private field, so that callers are not told that their code is unreachable.
#[derive(Debug)]
enum Never {}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { what }
}
