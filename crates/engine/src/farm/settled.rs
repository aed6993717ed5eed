//! Kinds of frames to the JavaScript side beyond the reply tags of the transport.

pub const LOST: u32 = 10;
pub const TIMED_OUT: u32 = 11;
pub const NO_MEMORY: u32 = 12;
pub const CLOSED: u32 = 13;
/// It rested before its next try, and gets none: what it failed with is said already.
pub const NOT_RETRIED: u32 = 14;

/// In a frame's kind: the attempt has failed, the task is tried again.
pub const RETRIED: u32 = 1 << 8;
