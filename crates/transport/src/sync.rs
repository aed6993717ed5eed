//! The atomics of this crate: the machine's own, or loom's when the models run. No other file names them.

#[cfg(loom)]
pub use loom::cell::UnsafeCell;
#[cfg(loom)]
pub use loom::sync::atomic::{fence, AtomicU64, Ordering};
#[cfg(not(loom))]
pub use std::sync::atomic::{fence, AtomicU64, Ordering};

/// For what no other thread changes while it matters; never modelled.
pub use std::sync::atomic::AtomicUsize;
