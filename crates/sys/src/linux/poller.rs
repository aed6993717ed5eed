//! Waits on many descriptors at once, with a deadline in nanoseconds.

use super::Fd;
use crate::{Error, Result};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::Timespec;
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Events taken from the kernel at a time.
const BATCH: usize = 64;

pub struct Poller {
    fd: Fd,
}

impl Poller {
    pub fn new() -> Result<Self> {
        let fd = epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::system("epoll_create1", error))?;
        Ok(Poller { fd: fd.into() })
    }

    /// Reports `token` while the descriptor can be read or its other end is gone.
    pub fn add(&self, fd: &Fd, token: u64) -> Result<()> {
        epoll::add(&self.fd, fd, EventData::new_u64(token), EventFlags::IN)
            .map_err(|error| Error::system("epoll_ctl", error))
    }

    /// Also reports when the descriptor can be written, or no longer.
    pub fn set_writable(&self, fd: &Fd, token: u64, on: bool) -> Result<()> {
        let flags = if on { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        epoll::modify(&self.fd, fd, EventData::new_u64(token), flags).map_err(|error| Error::system("epoll_ctl", error))
    }

    pub fn remove(&self, fd: &Fd) {
        let _ = epoll::delete(&self.fd, fd);
    }

    /// Waits until something is ready or `timeout_ns` has passed (`None`: for ever) and appends the tokens.
    pub fn wait(&self, ready: &mut Vec<u64>, timeout_ns: Option<u64>) -> Result<()> {
        let timeout =
            timeout_ns.map(|ns| Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as _ });
        let mut events = [MaybeUninit::<Event>::uninit(); BATCH];
        match epoll::wait(&self.fd, &mut events, timeout.as_ref()) {
            Ok((filled, _)) => ready.extend(filled.iter().map(|event| event.data.u64())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(Error::system("epoll_wait", error)),
        }
        Ok(())
    }
}
