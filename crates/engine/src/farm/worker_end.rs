//! The JavaScript thread's end of one worker's segment.

use super::shown::Views;
use crate::shared::WorkerLine;
use farm_transport::layout::worker::{GIVEN_BACK, MAIL_FROM_JS, REPLIES};
use farm_transport::{Consumer, Producer};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

const MOST_WAITING: usize = 1 << 20;

pub struct WorkerEnd {
    pub line: Arc<WorkerLine>,
    pub replies: Consumer,
    pub mail: Producer,
    /// 0 until its process is there.
    pub pid: i32,
    /// Tasks it has answered.
    pub tasks: u64,
    /// It never came up, and said why.
    pub failed: bool,
    /// The news of its process went to JavaScript.
    pub spawned: bool,
    /// The news that it takes tasks did.
    pub online: bool,
    pub views: Views,
    /// A block was given back since somebody asked.
    pub gave: bool,
    give_back: Producer,
    /// Blocks that wait for room in the ring that takes them back.
    waiting: Vec<(u64, u64)>,
}

impl WorkerEnd {
    pub fn new(line: Arc<WorkerLine>) -> Self {
        WorkerEnd {
            replies: line.own.consumer(REPLIES),
            mail: line.own.producer(MAIL_FROM_JS),
            give_back: line.own.producer(GIVEN_BACK),
            waiting: Vec::new(),
            gave: false,
            views: Views::default(),
            failed: false,
            spawned: false,
            online: false,
            pid: 0,
            tasks: 0,
            line,
        }
    }

    /// A block of the worker's arena is free again.
    pub fn give_back(&mut self, at: u64, len: u64) {
        // More than there can be is named only by a worker that makes them up.
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push((at, len));
        }
        self.gave = true;
        self.flush();
        self.line.returns.waiting.store(!self.waiting.is_empty(), Relaxed);
    }

    /// Gives back what had no room in the ring before; true when there was any that now has.
    pub fn flush(&mut self) -> bool {
        let before = self.waiting.len();
        while let Some((at, len)) = self.waiting.last() {
            if !self.give_back.push(0, &[&at.to_le_bytes(), &len.to_le_bytes()]) {
                break;
            }
            self.waiting.pop();
        }
        let flushed = before - self.waiting.len();
        if flushed > 0 {
            self.line.returns.count(flushed);
            self.line.returns.waiting.store(!self.waiting.is_empty(), Relaxed);
        }
        flushed > 0
    }

    /// True once when the worker waits for room and half of the ring is free again; a hint before `parent_sleeps`.
    pub fn should_ring(&self) -> bool {
        self.replies.must_ring(self.line.own.wants_room())
    }
}
