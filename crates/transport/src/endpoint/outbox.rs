//! Replies on their way to the parent: small ones in the ring, large ones in a block of this worker's arena, binary
//! attachments in blocks of their own. When the parent does not read, the worker waits within these bounds.

use crate::arena::Arena;
use crate::frame::{word, Attachment, ReplyHead, NO_BLOCK};
use crate::layout::worker;
use crate::ring::{Consumer, Producer};
use crate::segment::OutOfSegment;
use crate::worker_segment::WorkerSegment;
use farm_sys::{memory_available, monotonic_ns, Doorbell};
use std::collections::VecDeque;
use std::sync::Arc;

/// From this size on memory is asked for before it is touched: running out kills a process instead of failing a call.
const ASK_FROM: u64 = 1 << 20;
const SMALL_REPLY: usize = 256;
const ASK_AGAIN_NS: u64 = 100_000_000;

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
    given_back: Consumer,
    arena: Arena,
    parent_bell: Doorbell,
    max_shared: u64,
    asked: (u64, u64),
    notices: VecDeque<(u32, Vec<u8>)>,
    /// Frames in the ring that stand for blocks: where each ends, and the bytes of its blocks; and all these bytes.
    unread: VecDeque<(u64, u64)>,
    unread_bytes: u64,
}

impl Outbox {
    pub fn new(own: Arc<WorkerSegment>, arena: Arena, parent_bell: Doorbell, max_shared: u64) -> Self {
        Outbox {
            ring: own.producer(worker::REPLIES),
            given_back: own.consumer(worker::GIVEN_BACK),
            own,
            arena,
            parent_bell,
            max_shared,
            asked: (0, 0),
            notices: VecDeque::new(),
            unread: VecDeque::new(),
            unread_bytes: 0,
        }
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
    fn must_wait(&mut self, bytes: u64) -> bool {
        self.forget_read();
        if self.unread.is_empty() || (self.unread_bytes + bytes <= worker::MOST_UNREAD && self.fits(bytes)) {
            return false;
        }
        self.ring.ask_for_room(self.own.wants_room());
        self.forget_read();
        // What it took meanwhile may have been all: then nobody rings, and there is nothing to wait for.
        !self.unread.is_empty()
    }

    fn fits(&self, bytes: u64) -> bool {
        self.arena.used() + bytes <= self.max_shared
    }

    fn take_back(&mut self) {
        while let Ok(Some((_, len))) = self.given_back.peek() {
            let mut raw = [0; 16];
            if len == raw.len() {
                self.given_back.read(0, &mut raw);
                self.arena.give(word(&raw, 0), word(&raw, 8));
            }
            self.given_back.advance(len);
        }
    }

    fn admits(&mut self, bytes: u64) -> bool {
        if !self.fits(bytes) {
            return false;
        }
        if bytes < ASK_FROM {
            return true;
        }
        let now = monotonic_ns();
        if now - self.asked.0 > ASK_AGAIN_NS || bytes > ASK_FROM * 16 {
            self.asked = (now, memory_available());
        }
        // A sixteenth stays for everybody else.
        let is_enough = |available: u64| bytes < available - available / 16;
        if is_enough(self.asked.1) {
            return true;
        }
        // What is kept for later blocks may be what is missing.
        if self.arena.cool() {
            self.asked = (now, memory_available());
        }
        is_enough(self.asked.1)
    }

    /// A block for a body that is copied in parts, when there is memory for it now.
    pub fn stage(&mut self, len: u64) -> Result<u64, Sent> {
        if self.must_wait(len) {
            return Err(Sent::Full);
        }
        self.take_back();
        if len > u64::from(u32::MAX) || !self.admits(len) {
            return Err(Sent::NoMemory);
        }
        self.arena.reserve(len).ok_or(Sent::NoMemory)
    }

    pub fn stage_part(&self, at: u64, part: &[u8]) -> Result<(), OutOfSegment> {
        self.arena.fill(at, part)
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
        let mut bytes = 0;
        if staged.is_some() {
            bytes = len as u64;
        } else if !inline || !attachments.is_empty() {
            self.take_back();
            bytes = attachments.iter().map(|part| part.len() as u64).sum::<u64>() + if inline { 0 } else { len as u64 };
            if self.must_wait(bytes) {
                return Sent::Full;
            }
            if len > u32::MAX as usize || attachments.len() > u16::MAX as usize || !self.admits(bytes) {
                return Sent::NoMemory;
            }
        }
        let mut table = Vec::with_capacity(attachments.len() * Attachment::SIZE);
        let mut taken: Vec<(u64, u64)> = Vec::with_capacity(attachments.len() + 1);
        for part in attachments {
            let Some(at) = self.arena.store(&[part]) else { return self.no_memory(&taken) };
            taken.push((at, part.len() as u64));
            table.extend_from_slice(&Attachment { at, len: part.len() as u64 }.encode());
        }
        let block = if inline {
            NO_BLOCK
        } else if let Some(at) = staged {
            taken.push((at, len as u64));
            at
        } else {
            let Some(at) = self.arena.store(&[&table, body]) else { return self.no_memory(&taken) };
            taken.push((at, len as u64));
            at
        };
        if !seal() {
            self.no_memory(&taken);
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

    fn no_memory(&mut self, taken: &[(u64, u64)]) -> Sent {
        for (at, len) in taken {
            self.arena.give(*at, *len);
        }
        Sent::NoMemory
    }
}
