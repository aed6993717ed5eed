//! What the addon may know of the system, so that it need not name the crate below.

use crate::settings::LimitSettings;
use farm_sys::{Error, Fd, Line};

pub use farm_sys::{
    die_with_parent, ignore_interrupts, library, make_room, memory_limit, monotonic_ns, take_turns, usable_cpus,
    SUPPORTED,
};

/// In a worker: the line to the parent, inherited under this number.
pub fn inherit_line(number: i32) -> farm_sys::Result<Line> {
    let fd = Fd::inherited(number)?;
    let line = fd.duplicate_high()?;
    // Stays open: a module that closes this number, as some do with all that are open, must not hit what the line, or
    // anything else of ours, has become.
    std::mem::forget(fd);
    Ok(Line::from_fd(line))
}

/// Whether this system can hold a worker to these; the limit that it cannot, and why.
pub fn limit_refusal(limits: &LimitSettings) -> Option<(&'static str, String)> {
    match farm_sys::limits::refusal(&limits.restrictions(0)) {
        Ok(()) => None,
        Err(Error::Limit { limit, why }) => Some((limit, why)),
        Err(error) => Some(("", error.to_string())),
    }
}

pub use farm_sys::limits::usable_cpu_numbers;
