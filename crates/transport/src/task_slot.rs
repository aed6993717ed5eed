//! The queue segment as a whole: the queue over its words, and what a slot says about its task.

use crate::frame::word;
use crate::layout::{queue, slot, ENTRIES, MAGIC, SLOTS, VERSION};
use crate::queue::{Queue, QueueShape};
use crate::segment::{OutOfSegment, Segment};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use std::sync::Arc;

/// What a worker must know of a task before it reads the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskHeader {
    /// Bytes of the payload: attachment table, then body.
    pub len: u32,
    pub attachments: u16,
    pub codec: u8,
    /// The worker gets copies of the attachments, never views.
    pub copies: bool,
    /// Offset in the request arena, or [`crate::frame::NO_BLOCK`].
    pub block: u64,
    /// Must be claimed before this time (ns), or 0.
    pub claim_by: u64,
    pub attempt: u32,
}

impl TaskHeader {
    fn encode(&self) -> [u8; slot::HEADER_SIZE] {
        let mut out = [0; slot::HEADER_SIZE];
        out[..4].copy_from_slice(&self.len.to_le_bytes());
        out[4..6].copy_from_slice(&self.attachments.to_le_bytes());
        out[6] = self.codec;
        out[7] = u8::from(self.copies);
        out[8..16].copy_from_slice(&self.block.to_le_bytes());
        out[16..24].copy_from_slice(&self.claim_by.to_le_bytes());
        out[24..28].copy_from_slice(&self.attempt.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8; slot::HEADER_SIZE]) -> Self {
        TaskHeader {
            len: word(bytes, 0) as u32,
            attachments: (word(bytes, 0) >> 32) as u16,
            codec: bytes[6],
            copies: bytes[7] != 0,
            block: word(bytes, 8),
            claim_by: word(bytes, 16),
            attempt: word(bytes, 24) as u32,
        }
    }
}

pub struct QueueSegment {
    segment: Arc<Segment>,
    pub queue: Queue,
}

impl QueueSegment {
    /// A fresh queue for up to `workers` workers, in the parent.
    pub fn create(workers: usize) -> farm_sys::Result<Self> {
        let segment = Segment::create("farm-queue", queue::SIZE)?;
        segment.word(queue::MAGIC_AT).store(MAGIC, Release);
        segment.word(queue::VERSION_AT).store(VERSION, Release);
        let this = Self::over(segment, workers);
        this.queue.reset();
        Ok(this)
    }

    /// The worker's view; `None` when the other side speaks another layout.
    pub fn open(segment: Segment, workers: usize) -> Option<Self> {
        let known = segment.word(queue::MAGIC_AT).load(Acquire) == MAGIC
            && segment.word(queue::VERSION_AT).load(Acquire) == VERSION;
        known.then(|| Self::over(segment, workers))
    }

    /// The same queue once more, for another part of this process.
    pub fn share(&self, workers: usize) -> Self {
        Self::over_shared(self.segment.clone(), workers)
    }

    fn over(segment: Segment, workers: usize) -> Self {
        assert!(segment.len() >= queue::SIZE, "a queue segment of {} bytes", segment.len());
        Self::over_shared(Arc::new(segment), workers)
    }

    fn over_shared(segment: Arc<Segment>, workers: usize) -> Self {
        let at = |offset: usize| std::ptr::from_ref(segment.word(offset));
        let shape = QueueShape {
            head: at(queue::HEAD),
            parent_asleep: at(queue::PARENT_ASLEEP),
            spinner: at(queue::SPINNER),
            online: at(queue::ONLINE),
            sleepers: at(queue::SLEEPERS),
            sleepers_stride: crate::layout::APART,
            entries: at(queue::ENTRY_TABLE),
            states: at(queue::SLOT_TABLE + slot::STATE),
            states_stride: slot::SIZE,
            entry_count: ENTRIES,
            slot_count: SLOTS,
            worker_count: workers,
        };
        let queue = Queue::over_segment(shape, segment.clone());
        QueueSegment { segment, queue }
    }

    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The parent, from now on: whether workers tell of each task that they start.
    pub fn watch(&self, starts: bool) {
        self.segment.word(queue::WATCHED).store(u64::from(starts), Relaxed);
    }

    pub fn is_watched(&self) -> bool {
        self.segment.word(queue::WATCHED).load(Relaxed) != 0
    }

    fn header_at(index: u32) -> u64 {
        (queue::SLOT_TABLE + index as usize * slot::SIZE + slot::HEADER) as u64
    }

    fn inline_at(index: u32) -> u64 {
        (queue::SLOT_TABLE + index as usize * slot::SIZE + slot::INLINE) as u64
    }

    /// Fills a slot that nobody else may read yet.
    #[inline]
    pub fn write_task(&self, index: u32, header: &TaskHeader, inline: &[u8]) -> Result<(), OutOfSegment> {
        self.segment.copy_in(Self::header_at(index), &header.encode())?;
        self.segment.copy_in(Self::inline_at(index), inline)
    }

    /// The header, read once.
    #[inline]
    pub fn read_task(&self, index: u32) -> Result<TaskHeader, OutOfSegment> {
        let mut raw = [0; slot::HEADER_SIZE];
        self.segment.copy_out(Self::header_at(index), &mut raw)?;
        Ok(TaskHeader::decode(&raw))
    }

    pub fn read_inline(&self, index: u32, into: &mut [u8]) -> Result<(), OutOfSegment> {
        if into.len() > slot::INLINE_SIZE {
            return Err(OutOfSegment);
        }
        self.segment.copy_out(Self::inline_at(index), into)
    }
}
