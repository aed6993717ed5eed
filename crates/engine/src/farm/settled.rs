//! Kinds of frames to the JavaScript side beyond the reply tags of the transport.

pub const LOST: u32 = 10;
pub const TIMED_OUT: u32 = 11;
pub const NO_MEMORY: u32 = 12;
pub const CLOSED: u32 = 13;
/// It rested before its next try, and gets none: what it failed with is said already.
pub const NOT_RETRIED: u32 = 14;
/// Of a task that somebody watches, before the frame with its end or its failed attempt; `life.rs`.
pub const LIFE: u32 = 20;
/// It has been started.
pub const STARTED: u32 = 21;
/// Its worker is gone through no fault of its own: it starts once more, and nothing is counted.
pub const REQUEUED: u32 = 22;

/// In a frame's kind: the attempt has failed, the task is tried again.
pub const RETRIED: u32 = 1 << 8;
