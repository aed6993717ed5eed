//! A doorbell: an eventfd that wakes whoever polls it.

use super::Fd;
use crate::{Error, Result};
use rustix::event::{eventfd, EventfdFlags};

#[derive(Debug)]
pub struct Doorbell(Fd);

impl Doorbell {
    pub fn new() -> Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| Error::system("eventfd", error))?;
        Ok(Doorbell(fd.into()))
    }

    pub fn from_fd(fd: Fd) -> Self {
        Doorbell(fd)
    }

    pub fn fd(&self) -> &Fd {
        &self.0
    }

    /// Wakes the owner. A full counter means that it is awake already.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Takes the rings so far, so that the next poll sleeps.
    pub fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0u8; 8]);
    }
}
