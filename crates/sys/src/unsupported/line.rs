//! Descriptors and what is made of them: lines, doorbells, pollers.

use super::{unsupported, Never};
use crate::Result;

#[derive(Debug)]
pub struct Fd(Never);

impl Fd {
    pub fn raw(&self) -> i32 {
        match self.0 {}
    }

    pub fn duplicate(&self) -> Result<Fd> {
        match self.0 {}
    }

    pub fn duplicate_high(&self) -> Result<Fd> {
        match self.0 {}
    }

    pub fn inherited(_number: i32) -> Result<Fd> {
        Err(unsupported("an inherited descriptor"))
    }

    pub fn read(&self, _into: &mut [u8]) -> Result<Option<usize>> {
        match self.0 {}
    }

    pub fn write(&self, _bytes: &[u8]) -> Result<Option<usize>> {
        match self.0 {}
    }

    pub fn end_writing(&self) {
        match self.0 {}
    }

    pub fn set_nonblocking(&self) -> Result<()> {
        match self.0 {}
    }
}

pub const FDS_PER_MESSAGE: usize = 1;

#[derive(Debug)]
pub struct Line(Never);

impl Line {
    pub fn pair() -> Result<(Line, Fd)> {
        Err(unsupported("a line to a worker"))
    }

    pub fn stream_pair() -> Result<(Fd, Fd)> {
        Err(unsupported("a stream to a worker"))
    }

    pub fn from_fd(fd: Fd) -> Self {
        match fd.0 {}
    }

    pub fn fd(&self) -> &Fd {
        match self.0 {}
    }

    pub fn send(&self, _bytes: &[u8], _fds: &[&Fd]) -> Result<()> {
        match self.0 {}
    }

    pub fn send_some(&self, _bytes: &[u8], _fds: &[&Fd]) -> Result<Option<usize>> {
        match self.0 {}
    }

    pub fn receive(&self, _into: &mut [u8]) -> Result<Option<(usize, Vec<Fd>)>> {
        match self.0 {}
    }
}

pub fn write_own_output(_number: u8, _bytes: &[u8]) -> std::io::Result<usize> {
    Err(std::io::ErrorKind::Unsupported.into())
}

pub fn pipe() -> Result<(Fd, Fd)> {
    Err(unsupported("a pipe to a worker"))
}

pub fn lifeline() -> Result<(Fd, Fd)> {
    Err(unsupported("a lifeline"))
}

#[derive(Debug)]
pub struct Doorbell(Never);

impl Doorbell {
    pub fn new() -> Result<Self> {
        Err(unsupported("a doorbell"))
    }

    pub fn from_fd(fd: Fd) -> Self {
        match fd.0 {}
    }

    pub fn fd(&self) -> &Fd {
        match self.0 {}
    }

    pub fn ring(&self) {
        match self.0 {}
    }

    pub fn clear(&self) {
        match self.0 {}
    }
}

pub struct Poller(Never);

impl Poller {
    pub fn new() -> Result<Self> {
        Err(unsupported("waiting on descriptors"))
    }

    pub fn add(&self, _fd: &Fd, _token: u64) -> Result<()> {
        match self.0 {}
    }

    pub fn set_writable(&self, _fd: &Fd, _token: u64, _on: bool) -> Result<()> {
        match self.0 {}
    }

    pub fn remove(&self, _fd: &Fd) {
        match self.0 {}
    }

    pub fn wait(&self, _ready: &mut Vec<u64>, _timeout_ns: Option<u64>) -> Result<()> {
        match self.0 {}
    }
}
