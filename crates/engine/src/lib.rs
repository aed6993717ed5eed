//! THE PARENT: pool and processes. No napi; everything here is tested without Node.

#![forbid(unsafe_code)]

pub mod farm;
mod once;
pub mod pool;
pub mod process;
mod settings;
mod shared;
pub mod supervisor;
pub mod system;

pub use settings::{LimitSettings, Settings};
pub use shared::{FarmEvent, FarmLine, Held, Shared, WorkerLine};
