//! What Linux and the other Unix systems share.

pub mod library;
mod spawn;

pub use spawn::posix_spawn;
