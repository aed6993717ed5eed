//! A byte ring with one producer and one consumer, in memory shared between two processes.
//!
//! Frames are `u32 length | u32 tag | bytes`, padded to 8. Each side trusts its own position only; what it reads of the
//! other's is checked before use, once. unsafe room: positions and bytes live in memory shared with another process.

mod bytes;

pub use bytes::Byte;

use crate::sync::{fence, AtomicU64, Ordering::*};
use std::any::Any;
use std::sync::Arc;

const HEADER: u64 = 8;

/// The other side wrote a position or length that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side of a ring wrote an impossible position or length")]
pub struct RingFault;

#[derive(Clone)]
struct Ring {
    /// Bytes published so far; written by the producer.
    head: *const AtomicU64,
    /// Bytes taken so far; written by the consumer.
    tail: *const AtomicU64,
    data: *mut Byte,
    /// A power of two.
    capacity: u64,
    _memory: Arc<dyn Any + Send + Sync>,
}

// SAFETY: addresses into memory kept alive by `_memory`; the positions are atomics, and the protocol (one producer, one
// consumer, each a unique value) gives every byte to one side at a time.
unsafe impl Send for Ring {}

impl Ring {
    fn head(&self) -> &AtomicU64 {
        // SAFETY: valid as promised to the constructors.
        unsafe { &*self.head }
    }

    fn tail(&self) -> &AtomicU64 {
        // SAFETY: as above.
        unsafe { &*self.tail }
    }

    /// Where `len` bytes from position `at` start, and how many of them lie before the end of the data; the rest is at its
    /// start.
    #[inline(always)]
    fn spans(&self, at: u64, len: usize) -> (usize, usize) {
        assert!(len as u64 <= self.capacity, "a frame larger than its ring");
        let start = (at & (self.capacity - 1)) as usize;
        (start, self.capacity as usize - start)
    }

    /// Inlined, so that a copy of known length is a few moves instead of a call.
    #[inline(always)]
    fn copy_in(&self, at: u64, from: &[u8]) {
        let (start, first) = self.spans(at, from.len());
        if from.len() <= first {
            // SAFETY: the bytes lie inside `capacity` bytes of data and belong to the producer until it moves `head`.
            return unsafe { bytes::put(self.data.add(start), from) };
        }
        // SAFETY: both parts lie inside `capacity` bytes of data and belong to the producer until it moves `head`.
        unsafe {
            bytes::put(self.data.add(start), &from[..first]);
            bytes::put(self.data, &from[first..]);
        }
    }

    #[inline(always)]
    fn copy_out(&self, at: u64, into: &mut [u8]) {
        let (start, first) = self.spans(at, into.len());
        if into.len() <= first {
            // SAFETY: as below.
            return unsafe { bytes::take(self.data.add(start), into) };
        }
        // SAFETY: as in `copy_in`, seen from the consumer. A hostile producer may change the bytes meanwhile: they are
        // plain bytes, copied once, and mean nothing before the copy is complete.
        unsafe {
            let (head, rest) = into.split_at_mut(first);
            bytes::take(self.data.add(start), head);
            bytes::take(self.data, rest);
        }
    }
}

fn padded(len: usize) -> u64 {
    (HEADER + len as u64).next_multiple_of(8)
}

/// The writing end; exactly one per ring.
pub struct Producer {
    ring: Ring,
    head: u64,
    seen_tail: u64,
}

/// The reading end; exactly one per ring.
pub struct Consumer {
    ring: Ring,
    tail: u64,
}

macro_rules! constructor {
    ($end:ident, $($field:ident),*) => {
        impl $end {
            /// # Safety
            /// `head` and `tail` are valid words and `data` is valid for `capacity` bytes (a power of two) while `memory`
            /// lives; the ring starts with both words equal to zero, and no second value of this type is made for it.
            pub unsafe fn new(
                head: *const AtomicU64,
                tail: *const AtomicU64,
                data: *mut Byte,
                capacity: usize,
                memory: Arc<dyn Any + Send + Sync>,
            ) -> Self {
                debug_assert!(capacity.is_power_of_two());
                let ring = Ring { head, tail, data, capacity: capacity as u64, _memory: memory };
                $end { ring, $($field: 0),* }
            }

            /// Over a fresh, mapped segment: offsets of head and tail, offset and size of the data.
            #[cfg(not(loom))]
            pub(crate) fn over_segment(
                segment: &Arc<crate::segment::Segment>,
                head: usize,
                tail: usize,
                (at, size): (usize, usize),
            ) -> Self {
                let data = segment.range(at as u64, size).expect("the layout lies inside its segment");
                // SAFETY: words and data are checked by the segment, which is kept; one end per ring is the contract of
                // `WorkerSegment`.
                unsafe { Self::new(segment.word(head), segment.word(tail), data.as_ptr(), size, segment.clone()) }
            }
        }
    };
}
constructor!(Producer, head, seen_tail);
constructor!(Consumer, tail);

impl Producer {
    /// True when a frame of `len` bytes fits now.
    pub fn has_room(&mut self, len: usize) -> bool {
        let need = padded(len);
        if self.head.wrapping_sub(self.seen_tail) + need <= self.ring.capacity {
            return true;
        }
        let tail = self.ring.tail().load(Acquire);
        let used = self.head.wrapping_sub(tail);
        if used > self.ring.capacity {
            // A tail beyond our head is the other side's lie: the ring counts as full, and the lie is not kept.
            return false;
        }
        self.seen_tail = tail;
        used + need <= self.ring.capacity
    }

    /// Writes one frame made of `parts`; false when there is no room now.
    pub fn push(&mut self, tag: u32, parts: &[&[u8]]) -> bool {
        self.push_headed(tag, &[], parts)
    }

    /// As `push`; the first part, of known length, is copied without a call.
    pub fn push_headed<const N: usize>(&mut self, tag: u32, head: &[u8; N], parts: &[&[u8]]) -> bool {
        let len = N + parts.iter().map(|part| part.len()).sum::<usize>();
        if !self.has_room(len) {
            return false;
        }
        let mut header = [0u8; HEADER as usize];
        header[..4].copy_from_slice(&(len as u32).to_le_bytes());
        header[4..].copy_from_slice(&tag.to_le_bytes());
        self.ring.copy_in(self.head, &header);
        self.ring.copy_in(self.head + HEADER, head);
        let mut at = self.head + HEADER + N as u64;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            self.ring.copy_in(at, part);
            at += part.len() as u64;
        }
        self.head += padded(len);
        self.ring.head().store(self.head, Release);
        true
    }

    /// Asks through `wants` to be rung when the consumer has taken something and half of the ring is free. Whoever asks looks
    /// once more after it.
    pub fn ask_for_room(&self, wants: &AtomicU64) {
        wants.store(1, Relaxed);
        fence(SeqCst);
    }

    /// Asks through `wants` to be rung when there is room; true when `len` bytes fit already.
    pub fn wait_for_room(&mut self, len: usize, wants: &AtomicU64) -> bool {
        self.ask_for_room(wants);
        let room = self.has_room(len);
        if room {
            wants.store(0, Relaxed);
        }
        room
    }

    /// Bytes published so far.
    pub fn position(&self) -> u64 {
        self.head
    }

    /// Bytes the consumer has not taken yet.
    pub fn unread(&self) -> u64 {
        self.head.wrapping_sub(self.ring.tail().load(Acquire)).min(self.ring.capacity)
    }
}

impl Consumer {
    pub fn is_empty(&self) -> bool {
        self.ring.head().load(Acquire) == self.tail
    }

    /// The next frame's tag and length, without taking it.
    #[inline]
    pub fn peek(&self) -> Result<Option<(u32, usize)>, RingFault> {
        let available = self.ring.head().load(Acquire).wrapping_sub(self.tail);
        if available == 0 {
            return Ok(None);
        }
        if available > self.ring.capacity || !available.is_multiple_of(8) {
            return Err(RingFault);
        }
        let mut header = [0u8; HEADER as usize];
        self.ring.copy_out(self.tail, &mut header);
        let len = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let tag = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        if padded(len) > available {
            return Err(RingFault);
        }
        Ok(Some((tag, len)))
    }

    /// Copies `into.len()` bytes of the frame that `peek` showed, starting at `offset` in it.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) {
        self.ring.copy_out(self.tail + HEADER + offset as u64, into);
    }

    /// Takes the frame of `len` bytes that `peek` showed.
    pub fn advance(&mut self, len: usize) {
        self.tail += padded(len);
        self.publish_position();
    }

    /// Tells the producer how far this end is, again.
    pub fn publish_position(&self) {
        self.ring.tail().store(self.tail, Release);
    }

    /// True once when the producer has asked for room and half of the ring is free again: then the caller rings it. Certain
    /// only behind a `SeqCst` fence that follows the last `advance`; before it, a hint.
    pub fn must_ring(&self, wants: &AtomicU64) -> bool {
        wants.load(Relaxed) == 1 && self.used() <= self.ring.capacity / 2 && wants.swap(0, AcqRel) == 1
    }

    /// Bytes in the ring.
    pub fn used(&self) -> u64 {
        self.ring.head().load(Acquire).wrapping_sub(self.tail)
    }
}
