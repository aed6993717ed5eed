//! The line between a parent and one worker: a socket pair that carries descriptors and short messages, each whole, and
//! whose end tells either side that the other is gone. Also plain pipes for a worker's output.

use super::Fd;
use crate::{Error, Result};
use rustix::io::Errno;
use rustix::net::{
    recvmsg, sendmsg, socketpair, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::pipe::{pipe_with, PipeFlags};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

/// Descriptors in one message; the kernel takes 253.
pub const FDS_PER_MESSAGE: usize = 64;

#[derive(Debug)]
pub struct Line(Fd);

impl Line {
    /// The parent's end (non-blocking) and the worker's end (blocking).
    pub fn pair() -> Result<(Line, Fd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| Error::system("socketpair", error))?;
        let ours = Fd::from(ours);
        ours.set_nonblocking()?;
        Ok((Line(ours), theirs.into()))
    }

    /// A byte stream for scripts that speak Node's IPC protocol: the parent's end (non-blocking), the child's end.
    pub fn stream_pair() -> Result<(Fd, Fd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(|error| Error::system("socketpair", error))?;
        let ours = Fd::from(ours);
        ours.set_nonblocking()?;
        Ok((ours, theirs.into()))
    }

    pub fn from_fd(fd: Fd) -> Self {
        Line(fd)
    }

    pub fn fd(&self) -> &Fd {
        &self.0
    }

    /// Sends one message, with no more descriptors than go into one.
    pub fn send(&self, bytes: &[u8], fds: &[&Fd]) -> Result<()> {
        self.send_part(bytes, fds).map(drop).map_err(|error| Error::system("sendmsg", error))
    }

    /// Sends one message with as many of the descriptors as go into one; how many. `None`: not now. The line may be full,
    /// or too many descriptors of this user are on their way (as many as RLIMIT_NOFILE, in all lines of all processes).
    pub fn send_some(&self, bytes: &[u8], fds: &[&Fd]) -> Result<Option<usize>> {
        match self.send_part(bytes, &fds[..fds.len().min(FDS_PER_MESSAGE)]) {
            Ok(sent) => Ok(Some(sent)),
            Err(Errno::AGAIN | Errno::INTR | Errno::TOOMANYREFS) => Ok(None),
            Err(error) => Err(Error::system("sendmsg", error)),
        }
    }

    fn send_part(&self, bytes: &[u8], fds: &[&Fd]) -> rustix::io::Result<usize> {
        let borrowed: Vec<_> = fds.iter().map(|fd| fd.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_PER_MESSAGE))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !borrowed.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&borrowed));
        }
        sendmsg(&self.0, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL).map(|_| fds.len())
    }

    /// One message: its length and its descriptors. `Ok(None)`: nothing yet. A length of 0 is the end of the line.
    pub fn receive(&self, into: &mut [u8]) -> Result<Option<(usize, Vec<Fd>)>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_PER_MESSAGE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        match recvmsg(&self.0, &mut [IoSliceMut::new(into)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => {
                let fds = control
                    .drain()
                    .filter_map(|part| match part {
                        RecvAncillaryMessage::ScmRights(fds) => Some(fds.map(Fd::from).collect::<Vec<_>>()),
                        _ => None,
                    })
                    .flatten()
                    .collect();
                Ok(Some((message.bytes, fds)))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(Errno::CONNRESET | Errno::PIPE) => Ok(Some((0, Vec::new()))),
            Err(error) => Err(Error::system("recvmsg", error)),
        }
    }
}

/// Writes to this process's own stdout (1) or stderr, past the buffers of Rust's streams, which would keep what cannot be
/// written. Takes no descriptor: there may be none left.
pub fn write_own_output(number: u8, bytes: &[u8]) -> std::io::Result<usize> {
    let written = match number {
        1 => rustix::io::write(std::io::stdout(), bytes),
        _ => rustix::io::write(std::io::stderr(), bytes),
    };
    Ok(written?)
}

/// A pipe: the end to read (non-blocking) and the end to write.
pub fn pipe() -> Result<(Fd, Fd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::system("pipe2", error))?;
    let read = Fd::from(read);
    read.set_nonblocking()?;
    Ok((read, write.into()))
}

/// A pipe whose reading end sees the end of this process, and its writing end, which nobody else has.
pub fn lifeline() -> Result<(Fd, Fd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::system("pipe2", error))?;
    Ok((read.into(), write.into()))
}
