//! One worker's own segment: its phase, the stamps of what it runs, its mailboxes and its reply ring. No sibling maps it.

use crate::layout::{worker, LANES};
use crate::ring::{Consumer, Producer};
use crate::segment::Segment;
use crate::sync::{AtomicU64, Ordering::*};
use std::sync::Arc;

#[derive(Clone)]
pub struct WorkerSegment {
    segment: Arc<Segment>,
}

/// What a lane of a worker runs: `turn | slot`, and since when (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub task: u64,
    pub since: u64,
}

impl WorkerSegment {
    pub fn create() -> farm_sys::Result<Self> {
        Ok(Self::over(Segment::create("farm-worker", worker::SIZE)?))
    }

    pub fn over(segment: Segment) -> Self {
        assert!(segment.len() >= worker::SIZE, "a worker segment of {} bytes", segment.len());
        WorkerSegment { segment: Arc::new(segment) }
    }

    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    pub fn phase(&self) -> &AtomicU64 {
        self.segment.word(worker::PHASE)
    }

    pub fn ack(&self, lane: usize) -> &AtomicU64 {
        self.segment.word(worker::ACKS + (lane % LANES) * 8)
    }

    pub fn wants_room(&self) -> &AtomicU64 {
        self.segment.word(worker::WANTS_ROOM)
    }

    pub fn idle_since(&self) -> &AtomicU64 {
        self.segment.word(worker::IDLE_SINCE)
    }

    pub fn beat(&self) -> &AtomicU64 {
        self.segment.word(worker::BEAT)
    }

    pub fn paused(&self) -> &AtomicU64 {
        self.segment.word(worker::PAUSED)
    }

    fn stamp_words(&self, lane: usize) -> (&AtomicU64, &AtomicU64) {
        let at = worker::STAMPS + (lane % LANES) * 16;
        (self.segment.word(at), self.segment.word(at + 8))
    }

    pub fn stamp(&self, lane: usize, stamp: Stamp) {
        let (task, since) = self.stamp_words(lane);
        since.store(stamp.since, Relaxed);
        task.store(stamp.task, Release);
    }

    pub fn clear_stamp(&self, lane: usize) {
        self.stamp_words(lane).0.store(0, Release);
    }

    pub fn read_stamp(&self, lane: usize) -> Option<Stamp> {
        let (task, since) = self.stamp_words(lane);
        let task = task.load(Acquire);
        (task != 0).then(|| Stamp { task, since: since.load(Relaxed) })
    }

    /// True when a ring holds something its reader has not taken; for lookers-on.
    pub fn unread(&self, ring: usize) -> bool {
        self.segment.word(worker::ring_head(ring)).load(Acquire)
            != self.segment.word(worker::ring_tail(ring)).load(Acquire)
    }

    /// True when the worker has sent anything about any task, as it says itself.
    pub fn has_replied(&self) -> bool {
        self.segment.word(worker::ring_head(worker::REPLIES)).load(Acquire) != 0
    }

    /// The writing end of a ring of this segment; the caller makes one per ring and process.
    pub fn producer(&self, ring: usize) -> Producer {
        Producer::over_segment(&self.segment, worker::ring_head(ring), worker::ring_tail(ring), worker::RING_DATA[ring])
    }

    /// The reading end; the caller makes one per ring and process.
    pub fn consumer(&self, ring: usize) -> Consumer {
        Consumer::over_segment(&self.segment, worker::ring_head(ring), worker::ring_tail(ring), worker::RING_DATA[ring])
    }
}
