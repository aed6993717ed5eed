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
        let memory = Memory::create(name, len)?;
        memory.back(0, len)?;
        Ok(Segment(memory))
    }

    /// A sparse segment of `most` bytes, or of less where the address space is limited. Ranges of it are to be backed
    /// before they are used.
    pub fn create_sparse(name: &str, most: usize, least: usize) -> farm_sys::Result<Self> {
        let mut len = most;
        loop {
            match Memory::create(name, len) {
                Err(_) if len / 2 >= least => len /= 2,
                other => return other.map(Segment),
            }
        }
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
    #[inline]
    pub fn range(&self, offset: u64, len: usize) -> Result<NonNull<u8>, OutOfSegment> {
        let end = offset.checked_add(len as u64).ok_or(OutOfSegment)?;
        if end > self.len() as u64 {
            return Err(OutOfSegment);
        }
        // SAFETY: offset ≤ end ≤ length of the mapping.
        Ok(unsafe { self.0.start().add(offset as usize) })
    }

    /// The word at an offset that this crate's layout names.
    #[inline]
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.len(), "no word at {offset}");
        // SAFETY: aligned (the mapping is page-aligned), inside the mapping, and an AtomicU64 is valid for any bytes.
        unsafe { &*self.0.start().add(offset).cast::<AtomicU64>().as_ptr() }
    }

    #[inline]
    pub fn copy_in(&self, offset: u64, bytes: &[u8]) -> Result<(), OutOfSegment> {
        let to = self.range(offset, bytes.len())?;
        // SAFETY: the range is inside the mapping; it is shared memory, never a Rust object, so it cannot overlap `bytes`.
        unsafe { to.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    #[inline]
    pub fn copy_out(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfSegment> {
        let from = self.range(offset, into.len())?;
        // SAFETY: as in `copy_in`. The other process may change the bytes during the copy; the copy is all that is used.
        unsafe { into.as_mut_ptr().copy_from_nonoverlapping(from.as_ptr(), into.len()) };
        Ok(())
    }

    /// As `copy_in`, past the caches: for memory that is in no cache and would only push out what is. Half the time of an
    /// ordinary copy there, and somewhat more than that where the target is warm.
    pub fn stream_in(&self, offset: u64, bytes: &[u8]) -> Result<(), OutOfSegment> {
        let to = self.range(offset, bytes.len())?;
        // SAFETY: as in `copy_in`.
        unsafe { stream(to.as_ptr(), bytes) };
        Ok(())
    }

    /// Whether there is memory for a range; always, but where a file stands in for it.
    pub fn back(&self, offset: u64, len: usize) -> bool {
        self.0.back(offset as usize, len).is_ok()
    }

    pub fn punch(&self, offset: u64, len: usize) {
        self.0.punch(offset as usize, len);
    }

    /// Bytes of memory that it takes now.
    pub fn touched(&self) -> u64 {
        self.0.touched()
    }
}

/// Copies with non-temporal stores where the processor has them.
///
/// # Safety
/// `to` is valid for `bytes.len()` bytes that do not overlap `bytes`.
#[cfg(target_arch = "x86_64")]
unsafe fn stream(to: *mut u8, bytes: &[u8]) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_sfence, _mm_stream_si128};
    const STEP: usize = 64;
    let lead = to.align_offset(STEP).min(bytes.len());
    let (head, rest) = bytes.split_at(lead);
    let (body, tail) = rest.split_at(rest.len() - rest.len() % STEP);
    // SAFETY: all three parts lie inside the target, one after the other; the streamed part starts at a multiple of 64,
    // as its aligned stores need. SSE2 is part of x86_64. The fence makes the stores visible before any that follow, since
    // a release store alone does not order them.
    unsafe {
        to.copy_from_nonoverlapping(head.as_ptr(), head.len());
        let mut at = to.add(lead);
        for chunk in body.chunks_exact(STEP) {
            for part in 0..STEP / 16 {
                let value = _mm_loadu_si128(chunk.as_ptr().cast::<__m128i>().add(part));
                _mm_stream_si128(at.cast::<__m128i>().add(part), value);
            }
            at = at.add(STEP);
        }
        at.copy_from_nonoverlapping(tail.as_ptr(), tail.len());
        _mm_sfence();
    }
}

/// # Safety
/// `to` is valid for `bytes.len()` bytes that do not overlap `bytes`.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn stream(to: *mut u8, bytes: &[u8]) {
    // SAFETY: as the caller promises.
    unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_copy_is_a_copy_whatever_its_place_and_length() {
        let segment = Segment::create("farm-test", 8192).unwrap();
        let bytes: Vec<u8> = (0..4096u32).map(|n| (n * 7) as u8).collect();
        for (offset, len) in [(0, 4096), (1, 4000), (63, 1), (64, 64), (65, 63), (100, 0), (4096, 4096)] {
            segment.stream_in(offset, &bytes[..len]).unwrap();
            let mut back = vec![0; len];
            segment.copy_out(offset, &mut back).unwrap();
            assert_eq!(back, bytes[..len], "{len} bytes at {offset}");
        }
        assert_eq!(segment.stream_in(4097, &bytes), Err(OutOfSegment));
    }
}
