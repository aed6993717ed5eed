//! Replies on their way to the parent: small ones in the ring, large ones in a block of this worker's arena, binary
//! attachments in blocks of their own. When the parent does not read, the worker waits within these bounds.

use super::stock::{Blocks, Stock};
use crate::arena::Arena;
use crate::frame::{Attachment, ReplyHead, NO_BLOCK};
use crate::layout::worker;
use crate::ring::Producer;
use crate::segment::OutOfSegment;
use crate::worker_segment::WorkerSegment;
use farm_sys::Doorbell;
use std::collections::VecDeque;
use std::sync::Arc;

const SMALL_REPLY: usize = 256;

/// What a task came to, in encoded form.
#[derive(Default, Clone, Copy)]
pub struct Outcome<'a> {
    pub codec: u8,
    pub body: &'a [u8],
    pub attachments: &'a [&'a [u8]],
    /// Where the body lies already, by [`stage`](super::Endpoint::stage); then it has no attachments.
    pub staged: Option<u64>,
}

/// When a task was claimed, and how long it ran (ns).
#[derive(Default, Clone, Copy)]
pub(super) struct Times {
    pub since: u64,
    pub ran: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// No room in the ring: keep it, claim nothing, try again when the doorbell rings.
    Full,
    /// No memory for a reply of this size; the task is not ended.
    NoMemory,
    /// The task's fate was settled elsewhere; nothing was published.
    Revoked,
}

pub(super) struct Outbox {
    own: Arc<WorkerSegment>,
    ring: Producer,
    stock: Stock,
    parent_bell: Doorbell,
    notices: VecDeque<(u32, Vec<u8>)>,
    /// Frames in the ring that stand for blocks: where each ends, and the bytes of its blocks; and all these bytes.
    unread: VecDeque<(u64, u64)>,
    unread_bytes: u64,
}

impl Outbox {
    pub fn new(own: Arc<WorkerSegment>, arena: Arena, parent_bell: Doorbell, max_shared: u64) -> Self {
        Outbox {
            ring: own.producer(worker::REPLIES),
            stock: Stock::new(own.consumer(worker::GIVEN_BACK), arena, max_shared),
            own,
            parent_bell,
            notices: VecDeque::new(),
            unread: VecDeque::new(),
            unread_bytes: 0,
        }
    }

    pub fn stock(&self) -> &Stock {
        &self.stock
    }

    pub fn ring_parent(&self) {
        self.parent_bell.ring();
    }

    /// A short frame that must arrive some time.
    pub fn notice(&mut self, tag: u32, parts: &[&[u8]]) {
        if !self.notices.is_empty() || !self.ring.push(tag, parts) {
            self.notices.push_back((tag, parts.concat()));
        }
    }

    /// Sends the notices that wait; false while the ring is (nearly) full.
    pub fn flush(&mut self) -> bool {
        while let Some((tag, bytes)) = self.notices.front() {
            if !self.ring.push(*tag, &[bytes]) {
                return self.wait_for_room(bytes.len());
            }
            self.notices.pop_front();
        }
        // Room for one small reply, so that what is claimed next can at least be answered.
        self.ring.has_room(SMALL_REPLY) || self.wait_for_room(SMALL_REPLY)
    }

    /// Asks the parent to ring when there is room; true when there already is.
    fn wait_for_room(&mut self, len: usize) -> bool {
        self.ring.wait_for_room(len, self.own.wants_room())
    }

    fn forget_read(&mut self) {
        let taken = self.ring.position() - self.ring.unread();
        while let Some((_, bytes)) = self.unread.front().filter(|(end, _)| *end <= taken) {
            self.unread_bytes -= bytes;
            self.unread.pop_front();
        }
    }

    /// True when so many bytes would be too much beside what the parent has not taken; it will ring when it has.
    fn must_wait(&mut self, bytes: u64, fits: bool) -> bool {
        self.forget_read();
        if self.unread.is_empty() || (self.unread_bytes + bytes <= worker::MOST_UNREAD && fits) {
            return false;
        }
        self.ring.ask_for_room(self.own.wants_room());
        self.forget_read();
        // What it took meanwhile may have been all: then nobody rings, and there is nothing to wait for.
        !self.unread.is_empty()
    }

    /// Whether the arena has room for so many bytes beside what is in use.
    fn has_space(&self, bytes: u64) -> bool {
        let mut blocks = self.stock.lock();
        blocks.take_back();
        blocks.fits(bytes)
    }

    /// A block for a body that is copied in parts, when there is memory for it now.
    pub fn stage(&mut self, len: u64) -> Result<u64, Sent> {
        let fits = self.has_space(len);
        if self.must_wait(len, fits) {
            return Err(Sent::Full);
        }
        let mut blocks = self.stock.lock();
        if len > u64::from(u32::MAX) || !blocks.admits(len) {
            return Err(Sent::NoMemory);
        }
        blocks.arena.reserve(len).ok_or(Sent::NoMemory)
    }

    pub fn stage_part(&self, at: u64, part: &[u8]) -> Result<(), OutOfSegment> {
        self.stock.lock().arena.fill(at, part)
    }

    /// Puts a reply in the ring. `seal` is called when nothing can fail any more and says whether the reply still counts.
    pub fn send(&mut self, tag: u32, task: u64, times: Times, outcome: Outcome, seal: impl FnOnce() -> bool) -> Sent {
        let Outcome { codec, body, attachments, staged } = outcome;
        let len = attachments.len() * Attachment::SIZE + body.len();
        let inline = len <= worker::INLINE_REPLY && staged.is_none();
        let frame = ReplyHead::SIZE + if inline { len } else { 0 };
        if !self.flush() || (!self.ring.has_room(frame) && !self.wait_for_room(frame)) {
            return Sent::Full;
        }
        let mut stored = Stored { block: staged.unwrap_or(NO_BLOCK), ..Stored::default() };
        let mut bytes = 0;
        if let Some(at) = staged {
            bytes = len as u64;
            stored.taken.push((at, bytes));
        } else if !inline || !attachments.is_empty() {
            bytes = attachments.iter().map(|part| part.len() as u64).sum::<u64>() + if inline { 0 } else { len as u64 };
            let fits = self.has_space(bytes);
            if self.must_wait(bytes, fits) {
                return Sent::Full;
            }
            let mut blocks = self.stock.lock();
            if len > u32::MAX as usize || attachments.len() > u16::MAX as usize || !blocks.admits(bytes) {
                return Sent::NoMemory;
            }
            if stored.fill(&mut blocks, attachments, (!inline).then_some(body)).is_none() {
                blocks.give(&stored.taken);
                return Sent::NoMemory;
            }
        }
        let Stored { table, taken, block } = stored;
        if !seal() {
            self.stock.lock().give(&taken);
            return Sent::Revoked;
        }
        let Times { since, ran } = times;
        let attachments = attachments.len() as u16;
        let head = ReplyHead { task, len: len as u32, attachments, codec, block, ran, since }.encode();
        let parts: [&[u8]; 2] = [&table, body];
        let pushed = self.ring.push_headed(tag, &head, if inline { &parts } else { &[] });
        debug_assert!(pushed, "room was checked above");
        if bytes > 0 {
            self.unread.push_back((self.ring.position(), bytes));
            self.unread_bytes += bytes;
        }
        Sent::Yes
    }
}

/// What of a reply lies in the arena.
#[derive(Default)]
struct Stored {
    /// Of its attachments, as the payload begins with it.
    table: Vec<u8>,
    taken: Vec<(u64, u64)>,
    block: u64,
}

impl Stored {
    /// Stores attachments, and a body that does not travel inline. On `None` some may be taken.
    fn fill(&mut self, blocks: &mut Blocks, attachments: &[&[u8]], body: Option<&[u8]>) -> Option<()> {
        for part in attachments {
            let row = Attachment { at: blocks.arena.store(&[part])?, len: part.len() as u64 };
            self.taken.push((row.at, row.len));
            self.table.extend_from_slice(&row.encode());
        }
        if let Some(body) = body {
            self.block = blocks.arena.store(&[&self.table, body])?;
            self.taken.push((self.block, (self.table.len() + body.len()) as u64));
        }
        Some(())
    }
}
