//! In a worker: the pulse, by which its parent hears that the process is ending.
//!
//! The system tells of an exit when it has taken the memory apart: milliseconds, and more of them the larger the heap. A
//! descriptor that a single thread has is closed when that thread ends, and all threads but the last end before that.

use super::{Fd, Line};
use crate::{pipe, Error, Result};
use std::os::fd::{FromRawFd, OwnedFd};

/// Set to `1`, this environment variable makes workers go without a pulse, as on kernels before 5.9.
const FORCE_NO_CLOSE_RANGE: &str = "FARM_FORCE_NO_CLOSE_RANGE";

const CLOSE_RANGE_UNSHARE: libc::c_uint = 1 << 1;

/// A thread that has an end of a pipe which nobody else in this process has; the other end goes down the line with
/// `message`. Where the system cannot do that (before Linux 5.9), nothing is sent. The threads that come after this one
/// are asked to end after it, so there should be one.
pub fn give_pulse(line: &Fd, message: &'static [u8]) -> Result<()> {
    if std::env::var_os(FORCE_NO_CLOSE_RANGE).is_some_and(|value| value == "1") {
        return Ok(());
    }
    let number = line.raw();
    std::thread::Builder::new()
        .name("farm-pulse".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            block_signals();
            if !keep_alone(number) {
                return;
            }
            // SAFETY: in the table that only this thread has by now, nobody else owns the number. It is open: the process
            // keeps its line for ever.
            let line = Line::from_fd(Fd::from(unsafe { OwnedFd::from_raw_fd(number) }));
            let Ok((theirs, _ours)) = pipe() else { return };
            let sent = line.send(message, &[&theirs]);
            drop((line, theirs));
            while sent.is_ok() {
                std::thread::park();
            }
        })
        .map(drop)
        .map_err(|error| Error::system("thread", error))
}

/// A handler on this thread would write to a descriptor of the process and meet another one.
fn block_signals() {
    // SAFETY: fills a set on this stack and sets it as the mask of this thread.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, std::ptr::null_mut());
    }
}

/// Gives this thread a table of descriptors of its own, and leaves one of them in it.
fn keep_alone(number: i32) -> bool {
    let close = |first: libc::c_uint, last: libc::c_uint, flags: libc::c_uint| {
        // SAFETY: the first call takes this thread out of the table it shares, or fails and closes nothing; what the
        // second one closes are this thread's copies.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) == 0 }
    };
    let number = number as libc::c_uint;
    close(number + 1, libc::c_uint::MAX, CLOSE_RANGE_UNSHARE) && (number == 0 || close(0, number - 1, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Poller;
    use std::os::fd::AsFd;

    #[test]
    fn the_other_end_comes_down_the_line_and_what_the_process_has_open_stays_open() {
        let (line, theirs) = Line::pair().unwrap();
        let (read, write) = pipe().unwrap();
        give_pulse(&theirs, b"p").unwrap();
        let poller = Poller::new().unwrap();
        poller.add(line.fd(), 1).unwrap();
        let mut ready = Vec::new();
        while ready.is_empty() {
            poller.wait(&mut ready, None).unwrap();
        }
        let mut raw = [0; 8];
        let (len, fds) = line.receive(&mut raw).unwrap().unwrap();
        assert_eq!((&raw[..len], fds.len()), (&b"p"[..], 1));
        // Its other end is held: nothing to read, and no end.
        assert_eq!(fds[0].read(&mut raw).unwrap(), None);
        // What was open here still is, and no thread keeps it open.
        rustix::io::write(write.as_fd(), b"x").unwrap();
        assert_eq!(read.read(&mut raw).unwrap(), Some(1));
        drop(write);
        assert_eq!(read.read(&mut raw).unwrap(), Some(0));
        drop(theirs);
        // Once that thread has let go of it too.
        while !matches!(line.receive(&mut raw), Ok(Some((0, _)))) {
            std::thread::yield_now();
        }
    }
}
