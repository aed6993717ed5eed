//! A mapped segment with checked access. unsafe room: everything in here may be written by another process at any time,
//! so bytes are copied out before they mean anything, and words are atomics.

use crate::sync::AtomicU64;
use farm_sys::{Fd, Memory};
use std::ptr::NonNull;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range lies outside of its segment")]
pub struct OutOfSegment;

pub struct Segment(Memory);

impl Segment {
    pub fn create(name: &str, len: usize) -> farm_sys::Result<Self> {
        Memory::create(name, len).map(Segment)
    }

    pub fn open(fd: Fd, len: usize) -> farm_sys::Result<Self> {
        Memory::map(fd, len).map(Segment)
    }

    pub fn fd(&self) -> &Fd {
        self.0.fd()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address of a range, checked; valid while the segment lives.
    pub fn range(&self, offset: u64, len: usize) -> Result<NonNull<u8>, OutOfSegment> {
        let end = offset.checked_add(len as u64).ok_or(OutOfSegment)?;
        if end > self.len() as u64 {
            return Err(OutOfSegment);
        }
        // SAFETY: offset ≤ end ≤ length of the mapping.
        Ok(unsafe { self.0.start().add(offset as usize) })
    }

    /// The word at an offset that this crate's layout names.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.len(), "no word at {offset}");
        // SAFETY: aligned (the mapping is page-aligned), inside the mapping, and an AtomicU64 is valid for any bytes.
        unsafe { &*self.0.start().add(offset).cast::<AtomicU64>().as_ptr() }
    }

    pub fn copy_in(&self, offset: u64, bytes: &[u8]) -> Result<(), OutOfSegment> {
        let to = self.range(offset, bytes.len())?;
        // SAFETY: the range is inside the mapping; it is shared memory, never a Rust object, so it cannot overlap `bytes`.
        unsafe { to.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    pub fn copy_out(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfSegment> {
        let from = self.range(offset, into.len())?;
        // SAFETY: as in `copy_in`. The other process may change the bytes during the copy; the copy is all that is used.
        unsafe { into.as_mut_ptr().copy_from_nonoverlapping(from.as_ptr(), into.len()) };
        Ok(())
    }

    pub fn punch(&self, offset: u64, len: usize) {
        self.0.punch(offset as usize, len);
    }
}
