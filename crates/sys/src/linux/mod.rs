//! Linux: memfd, eventfd, epoll, pidfd, cgroup. Names and contracts are those of `crate`.

mod cgroup;
mod cgroup_mount;
mod cgroup_place;
mod child;
mod doorbell;
pub mod guarding;
pub mod limits;
mod line;
mod memory;
mod poller;
pub mod process_usage;
mod pulse;
mod room;
mod turns;
mod usage;

pub use crate::unix::library;
pub use child::{die_with_parent, ignore_interrupts, spawn, watch_line, Child};
pub use doorbell::Doorbell;
pub use line::{lifeline, pipe, write_own_output, Line, FDS_PER_MESSAGE};
pub use memory::Memory;
pub use poller::Poller;
pub use pulse::give_pulse;
pub use room::make_room;
pub use turns::take_turns;
pub use usage::{memory_available, memory_limit, monotonic_ns, oom_kills, usable_cpus};

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// True where farms can be made.
pub const SUPPORTED: bool = true;

/// The first number after the standard streams.
const FIRST: i32 = 3;
/// Above what a program opens that does not open much.
const HIGH: i32 = 200;

/// An owned descriptor, close-on-exec.
#[derive(Debug)]
pub struct Fd(OwnedFd);

impl Fd {
    /// The number; valid while `self` lives.
    pub fn raw(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// A second descriptor of the same file.
    pub fn duplicate(&self) -> crate::Result<Fd> {
        self.0.try_clone().map(Fd).map_err(|error| crate::Error::system("dup", error))
    }

    /// A second descriptor of the same file, with a number that few would close or reuse by chance.
    pub fn duplicate_high(&self) -> crate::Result<Fd> {
        match rustix::io::fcntl_dupfd_cloexec(&self.0, HIGH) {
            Ok(fd) => Ok(Fd(fd)),
            // A process that may have only few.
            Err(_) => self.duplicate(),
        }
    }

    /// Takes over a descriptor that was inherited under a known number, and marks it close-on-exec.
    pub fn inherited(number: i32) -> crate::Result<Fd> {
        // SAFETY: fcntl on a number; ownership is taken only when it is an open descriptor. The caller is the bootstrap
        // of a worker, which is told this number once and has nobody else in the process who knows it.
        unsafe {
            if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) != 0 {
                return Err(crate::Error::last("fcntl(F_SETFD)"));
            }
            Ok(Fd(OwnedFd::from_raw_fd(number)))
        }
    }

    /// Reads what is there. `Ok(0)` is the end; `None` means nothing yet (non-blocking descriptors).
    pub fn read(&self, into: &mut [u8]) -> crate::Result<Option<usize>> {
        match rustix::io::read(&self.0, into) {
            Ok(n) => Ok(Some(n)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(error) => Err(crate::Error::system("read", error)),
        }
    }

    /// Writes what fits. `None` means no room now.
    pub fn write(&self, bytes: &[u8]) -> crate::Result<Option<usize>> {
        match rustix::net::send(&self.0, bytes, rustix::net::SendFlags::NOSIGNAL) {
            Ok(n) => Ok(Some(n)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(error) => Err(crate::Error::system("send", error)),
        }
    }

    /// The other end of this socket reads what is on its way, then the end; it may still write to us.
    pub fn end_writing(&self) {
        // A refusal means that the other end is gone already.
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Write);
    }

    pub fn set_nonblocking(&self) -> crate::Result<()> {
        rustix::io::ioctl_fionbio(&self.0, true).map_err(|error| crate::Error::system("ioctl(FIONBIO)", error))
    }
}

impl From<OwnedFd> for Fd {
    /// Under a number above those of the standard streams, where one can be had: in a process that has closed those, what
    /// is written to them, by whomever, would else come here.
    fn from(fd: OwnedFd) -> Self {
        if fd.as_raw_fd() >= FIRST {
            return Fd(fd);
        }
        rustix::io::fcntl_dupfd_cloexec(&fd, FIRST).map_or(Fd(fd), Fd)
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
