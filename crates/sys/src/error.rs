//! What a system call can answer: the operation that failed and the system's own error, or that it does not exist here.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{op}: {source}")]
    System { op: &'static str, source: io::Error },
    #[error("{what} is not supported on this system")]
    Unsupported { what: &'static str },
    /// A restriction that cannot be put on a child, by the name of its option.
    #[error("limits.{limit} cannot be enforced here: {why}")]
    Limit { limit: &'static str, why: String },
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn system(op: &'static str, source: impl Into<io::Error>) -> Self {
        Error::System { op, source: source.into() }
    }

    /// The last OS error under the name of the operation that set it.
    pub fn last(op: &'static str) -> Self {
        Error::System { op, source: io::Error::last_os_error() }
    }
}
