//! THE LINE between a parent and its workers, both ends: queue, rings, arenas, frames. No napi, no spawn.

pub mod sync;

mod queue;
mod ring;
mod word;

pub use queue::{Claim, Queue, QueueShape};
pub use ring::{Byte, Consumer, Producer, RingFault};
pub use word::{Entry, Kind, State, NO_SLOT};

#[cfg(not(loom))]
mod arena;
#[cfg(not(loom))]
pub mod endpoint;
#[cfg(not(loom))]
pub mod frame;
pub mod layout;
#[cfg(not(loom))]
pub mod node_ipc;
#[cfg(not(loom))]
mod patience;
#[cfg(not(loom))]
mod segment;
#[cfg(not(loom))]
mod task_slot;
#[cfg(not(loom))]
mod worker_segment;

#[cfg(not(loom))]
pub use {
    arena::{Arena, Budget, Cooling},
    patience::Patience,
    segment::{OutOfSegment, Segment},
    task_slot::{QueueSegment, TaskHeader},
    worker_segment::{Stamp, WorkerSegment},
};
