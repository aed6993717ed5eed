//! What the addon may know of the system, so that it need not name the crate below.

use farm_sys::{Fd, Line};

pub use farm_sys::{die_with_parent, library, memory_limit, monotonic_ns, take_longer_turns, usable_cpus, SUPPORTED};

/// In a worker: the line to the parent, inherited under this number; its end ends the process.
pub fn inherit_line(number: i32) -> farm_sys::Result<Line> {
    let fd = Fd::inherited(number)?;
    farm_sys::watch_line(&fd)?;
    Ok(Line::from_fd(fd))
}
