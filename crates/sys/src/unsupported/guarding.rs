//! Guarding another process.

use super::{unsupported, Fd};
use crate::Result;

pub fn own_end() -> Option<Fd> {
    None
}

/// There is nothing to stay apart from: no guard gets further than its first descriptor.
pub fn stay_apart() {}

pub fn close_from(_first: i32) {}

pub fn wait_for_any(_ends: &[&Fd]) -> Result<()> {
    Err(unsupported("guarding a process"))
}

pub fn kill_group(_group: i32) {}

pub fn end_groups(_start_of_paths: &[u8]) {}

/// There are none.
pub fn clear_groups() -> bool {
    true
}
