//! Memory shared between processes.

use super::{unsupported, Fd, Never};
use crate::Result;
use std::ptr::NonNull;

#[derive(Debug)]
pub struct Memory(Never);

impl Memory {
    pub fn create(_name: &str, _len: usize) -> Result<Memory> {
        Err(unsupported("shared memory"))
    }

    pub fn map(_fd: Fd, _len: usize) -> Result<Memory> {
        Err(unsupported("shared memory"))
    }

    pub fn fd(&self) -> &Fd {
        match self.0 {}
    }

    pub fn start(&self) -> NonNull<u8> {
        match self.0 {}
    }

    pub fn len(&self) -> usize {
        match self.0 {}
    }

    pub fn is_empty(&self) -> bool {
        match self.0 {}
    }

    pub fn back(&self, _offset: usize, _len: usize) -> Result<()> {
        match self.0 {}
    }

    pub fn punch(&self, _offset: usize, _len: usize) {
        match self.0 {}
    }

    pub fn touched(&self) -> u64 {
        match self.0 {}
    }
}
