//! Between a parent and its guard: what the one starts the other with.

pub use crate::groups::GroupTable;
pub use crate::os::guarding::{clear_groups, close_from, end_groups, kill_group, own_end, stay_apart, wait_for_any};

/// The descriptors a guard is started with: a pipe whose only writer is the parent, the table of groups, and, where the
/// system has such, the parent itself.
pub const LIFELINE: i32 = 3;
pub const GROUPS: i32 = 4;
pub const PARENT: i32 = 5;
pub const FIRST_FREE: i32 = 6;
