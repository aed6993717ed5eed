//! What Linux and the other Unix systems share.

mod spawn;

pub use spawn::posix_spawn;
