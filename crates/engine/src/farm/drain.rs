//! Settling: takes replies out of the workers' rings and news out of the inbox, and writes them as frames for the
//! JavaScript side: `u32 task | u32 kind (of an attempt that is tried again: worker << 16 | flag | kind) | u32 length | u32 codec, attachments << 16, flags << 8`, then the body, padded
//! to 8. Read by `lib/settling.js`. What a worker wrote is copied before it is looked at.

use super::frames::{self, write_frame, write_head, Ran, HEAD};
use super::retry::retried;
use super::worker_end::WorkerEnd;
use super::{settled, Farm};
use crate::pool::tasks::Failure;
use crate::process::ExitRecord;
use crate::shared::{FarmEvent, FarmLine, WorkerLine};
use crate::supervisor::Command;
use farm_transport::frame::{reply, Attachment, ReplyHead, NO_BLOCK};
use farm_transport::layout::{ENTRIES, SLOTS};
use farm_transport::{Entry, Kind, QueueSegment};
use std::sync::atomic::Ordering::*;
use std::sync::Arc;

/// In a frame's last word: the body is the first of the frame's handovers.
const BODY_APART: u32 = 1 << 8;
/// Largest body that goes through the batch.
const LARGEST_INLINE: usize = 128 * 1024;

/// Names a view for the moment when nobody looks at it any more.
#[derive(Debug, Clone, Copy)]
pub struct ViewKey {
    pub worker: usize,
    pub at: u64,
    pub len: u64,
}

/// Bytes that go to the JavaScript side outside of the batch.
pub enum Handover {
    Copied(Vec<u8>),
    /// Still in the worker's arena; `line` keeps it mapped, `Farm::view_done` gives it back.
    View {
        line: Arc<WorkerLine>,
        key: ViewKey,
    },
}

#[derive(Default)]
pub struct Drained {
    /// Bytes of frames in the batch.
    pub len: usize,
    pub handovers: Vec<Handover>,
    /// News about workers, for events.
    pub news: Vec<FarmEvent>,
    /// There may be more: call again.
    pub more: bool,
}

/// A worker broke the protocol of the shared memory.
pub(super) struct Broken;

impl Farm {
    /// Fills `out` with what came in. The doorbell is cleared by the caller before.
    pub fn drain(&mut self, out: &mut [u8]) -> Drained {
        let mut drained = Drained::default();
        self.line.queue.queue.parent_wakes();
        self.take_news(&mut drained);
        self.write_verdicts(out, &mut drained);
        for worker in 0..self.workers.len() {
            self.drain_worker(worker, out, &mut drained);
        }
        while !drained.more {
            let (worker, record, held, planned) = match self.exits.pop_front() {
                Some(FarmEvent::Exited { worker, record, held, planned }) => (worker, record, held, planned),
                Some(closed) => {
                    drained.news.push(closed);
                    continue;
                }
                None => break,
            };
            // Its ring is drained to the end: what is still held has no reply.
            for held in &held {
                self.lost(held.slot, held.turn, held.started, &record);
            }
            self.forget(worker);
            drained.news.push(FarmEvent::Exited { worker, record, held, planned });
        }
        if self.all_gone && !drained.more {
            self.all_gone = false;
            self.start_anew();
        }
        self.write_verdicts(out, &mut drained);
        self.refill();
        self.seek_least_timeout();
        drained
    }

    /// The JavaScript thread has nothing more to do: from now on it must be rung. True when something came in meanwhile.
    pub fn rest(&mut self) -> bool {
        let Farm { patience, workers, tasks, .. } = self;
        let replied = || workers.iter().flatten().any(|worker| !worker.replies.is_empty());
        if patience.spin(|| tasks.open() > 0, replied) {
            return true;
        }
        self.line.queue.queue.parent_sleeps();
        let news = !self.events.is_empty() || !self.verdicts.is_empty() || !self.exits.is_empty();
        let busy = news || self.all_gone || self.workers.iter().flatten().any(|worker| !worker.replies.is_empty());
        for (index, worker) in self.workers.iter().enumerate() {
            // Behind the fence: a worker that asked for room while its ring was emptied is seen here at the latest.
            if worker.as_ref().is_some_and(WorkerEnd::should_ring) {
                self.shared.ring(index as u16);
            }
        }
        if busy {
            self.line.queue.queue.parent_wakes();
        }
        busy
    }

    fn take_news(&mut self, drained: &mut Drained) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                FarmEvent::Joined { worker, line } => {
                    if worker >= self.workers.len() {
                        self.workers.resize_with(worker + 1, || None);
                    }
                    self.workers[worker] = Some(WorkerEnd::new(line));
                }
                // Behind what workers have sent.
                FarmEvent::Exited { .. } | FarmEvent::Closed => self.exits.push_back(event),
                FarmEvent::Failed { .. } => {
                    self.closing = true;
                    self.exits.push_back(event);
                }
                FarmEvent::TimedOut { slot, turn } => self.timed_out(slot, turn),
                FarmEvent::Spawned { worker, pid } => {
                    if let Some(Some(end)) = self.workers.get_mut(worker) {
                        (end.pid, end.spawned) = (pid, true);
                    }
                    drained.news.push(event);
                }
                FarmEvent::Poisoned => self.all_gone = true,
                FarmEvent::Quiet => self.quiet(),
                FarmEvent::Cooled(cooling) => self.requests.cooled(cooling),
                FarmEvent::Fewer => {
                    self.asked = 0;
                    // A task may have come while an idle worker was told to leave, which may take long.
                    if self.tasks.open() > 0 {
                        self.demand(self.tasks.open());
                    }
                }
                FarmEvent::StartFailed { worker, .. } => {
                    self.asked = 0;
                    if let Some(Some(end)) = self.workers.get_mut(worker) {
                        end.failed = true;
                    }
                    drained.news.push(event);
                }
                other => {
                    if self.is_new(&other) {
                        drained.news.push(other);
                    }
                }
            }
        }
    }

    /// A worker's first reply may have said already that it is online.
    fn is_new(&mut self, event: &FarmEvent) -> bool {
        match event {
            FarmEvent::Online { worker } => match self.workers.get_mut(*worker) {
                Some(Some(end)) => !std::mem::replace(&mut end.online, true),
                _ => true,
            },
            _ => true,
        }
    }

    fn forget(&mut self, worker: usize) {
        let end = self.workers[worker].take();
        let failed = end.as_ref().is_some_and(|end| end.failed);
        self.leave_views(end);
        let blocks = self.lent.worker_gone(worker);
        self.give(blocks);
        self.asked = 0;
        self.supervisor.tell(Command::Drained { farm: self.shared.id, worker });
        // A task may have come while an idle worker was told to leave. One whose worker failed to start is rejected.
        if self.tasks.open() > 0 && !failed {
            self.demand(self.tasks.open());
        }
    }

    fn write_verdicts(&mut self, out: &mut [u8], drained: &mut Drained) {
        while let Some((id, kind, body)) = self.verdicts.pop_front() {
            if drained.len + HEAD + body.len() + 8 > out.len() {
                self.verdicts.push_front((id, kind, body));
                drained.more = true;
                return;
            }
            drained.len = write_frame(out, drained.len, id, kind, &body);
        }
    }

    fn drain_worker(&mut self, index: usize, out: &mut [u8], drained: &mut Drained) {
        let Some(mut worker) = self.workers[index].take() else { return };
        loop {
            if drained.len + frames::LIFE_FRAME + HEAD + LARGEST_INLINE + 8 > out.len() {
                drained.more = true;
                break;
            }
            let (tag, len) = match worker.replies.peek() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_) => {
                    self.poison();
                    break;
                }
            };
            if worker.spawned && !worker.online {
                // The supervisor hears of it on another way, which may be longer.
                worker.online = true;
                drained.news.push(FarmEvent::Online { worker: index });
            }
            let before = drained.handovers.len();
            let taken = self.take_frame(index, &mut worker, tag, len, out, drained);
            worker.replies.advance(len);
            if taken.is_err() {
                self.take_in(drained.handovers.drain(before..));
                self.poison();
                break;
            }
        }
        worker.flush();
        if std::mem::take(&mut worker.gave) {
            self.blocks_came_back();
        }
        if worker.should_ring() {
            self.shared.ring(index as u16);
        }
        self.workers[index] = Some(worker);
    }

    fn take_frame(
        &mut self,
        index: usize,
        worker: &mut WorkerEnd,
        tag: u32,
        len: usize,
        out: &mut [u8],
        drained: &mut Drained,
    ) -> Result<(), Broken> {
        match tag {
            reply::RESULT | reply::ERROR | reply::FINAL_ERROR => {}
            reply::PROGRESS | reply::EXPIRED | reply::NO_MEMORY => {}
            reply::RELEASED | reply::VIEW_FREED | reply::STARTED => {
                return self.take_notice(index, worker, tag, len, out, drained)
            }
            _ => return Err(Broken),
        }
        if len < ReplyHead::SIZE {
            return Err(Broken);
        }
        let mut raw = [0; ReplyHead::SIZE];
        worker.replies.read(0, &mut raw);
        let head = ReplyHead::decode(&raw);
        let (slot, turn) = (Entry(head.task).slot(), Entry(head.task).turn());
        let Some(id) = self.tasks.task_at(slot, turn) else {
            // Settled before (timeout, cancel); a last reply gives its slot back, and its blocks go straight home.
            self.send_home(worker, &head, len)?;
            if tag != reply::PROGRESS && self.tasks.released(slot, turn) {
                self.unpublish(slot);
                self.slot_released(turn, Some(index));
            }
            return Ok(());
        };
        let state = self.line.queue.queue.state(slot);
        let expected = if tag == reply::PROGRESS { state.kind() != Kind::Free } else { state.kind() == Kind::Done };
        if state.turn() != turn || usize::from(state.owner()) != index || !expected {
            return Err(Broken);
        }
        let again = tag == reply::ERROR && self.tasks.would_retry(id, Failure::Error);
        let kind = match tag {
            _ if again => retried(tag, index),
            reply::FINAL_ERROR => reply::ERROR,
            _ => tag,
        };
        if self.listeners.ends && tag != reply::PROGRESS {
            let ran = Ran { worker: index, since: head.since, ran: head.ran };
            self.write_life(id, settled::LIFE, (tag != reply::EXPIRED).then_some(ran), out, drained);
        }
        self.write_reply(index, worker, id, kind, &head, len, out, drained)?;
        if tag != reply::PROGRESS {
            worker.tasks += 1;
            self.stats.replied(kind, &head, self.records[id as usize].submitted);
        }
        if again {
            self.threw(slot, turn);
        } else if tag != reply::PROGRESS {
            self.tasks.ended(slot, turn);
            self.unpublish(slot);
            self.task_over(id, Some(index));
            self.count_settled();
            self.shared.open.store(self.tasks.open() as u64, Release);
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn write_reply(
        &mut self,
        index: usize,
        worker: &mut WorkerEnd,
        id: u32,
        kind: u32,
        head: &ReplyHead,
        frame_len: usize,
        out: &mut [u8],
        drained: &mut Drained,
    ) -> Result<(), Broken> {
        let total = head.len as usize;
        let table_len = usize::from(head.attachments) * Attachment::SIZE;
        let fits = match head.block {
            NO_BLOCK => frame_len == ReplyHead::SIZE + total,
            _ => u64::from(head.len) <= self.shared.settings.max_shared,
        };
        if table_len > total || !fits {
            return Err(Broken);
        }
        // Few replies refer to it.
        let arena = (head.block != NO_BLOCK || head.attachments > 0).then(|| worker.line.arena.clone());
        let read = |offset: usize, into: &mut [u8]| match head.block {
            NO_BLOCK => {
                worker.replies.read(ReplyHead::SIZE + offset, into);
                Ok(())
            }
            block => match &arena {
                Some(arena) => arena.copy_out(block.saturating_add(offset as u64), into).map_err(|_| Broken),
                None => Err(Broken),
            },
        };
        let mut table = vec![0; table_len];
        read(0, &mut table)?;
        let body_len = total - table_len;
        let apart = body_len > LARGEST_INLINE;
        let start = drained.len + HEAD;
        if apart {
            let mut body = vec![0; body_len];
            read(table_len, &mut body)?;
            drained.handovers.push(Handover::Copied(body));
        } else {
            read(table_len, &mut out[start..start + body_len])?;
        }
        if head.block != NO_BLOCK {
            worker.give_back(head.block, u64::from(head.len));
        }
        for row in Attachment::table(&table, usize::from(head.attachments)).into_iter().flatten() {
            let handover = self.hand_over(index, worker, arena.as_ref().ok_or(Broken)?, row)?;
            drained.handovers.push(handover);
        }
        let last = u32::from(head.codec) | u32::from(head.attachments) << 16 | if apart { BODY_APART } else { 0 };
        drained.len = write_head(out, drained.len, id, kind, if apart { 0 } else { body_len }, last);
        Ok(())
    }

    /// The blocks of a reply that nobody waits for.
    fn send_home(&mut self, worker: &mut WorkerEnd, head: &ReplyHead, frame_len: usize) -> Result<(), Broken> {
        let table_len = usize::from(head.attachments) * Attachment::SIZE;
        let mut table = vec![0; table_len];
        if head.block == NO_BLOCK {
            if frame_len < ReplyHead::SIZE + table_len {
                return Err(Broken);
            }
            worker.replies.read(ReplyHead::SIZE, &mut table);
        } else {
            worker.line.arena.copy_out(head.block, &mut table).map_err(|_| Broken)?;
            worker.give_back(head.block, u64::from(head.len));
        }
        for row in Attachment::table(&table, usize::from(head.attachments)).into_iter().flatten() {
            worker.give_back(row.at, row.len);
        }
        Ok(())
    }

    /// The shared memory cannot be trusted any more: nothing is published until all workers are gone.
    pub(super) fn poison(&mut self) {
        if !self.poisoned {
            self.poisoned = true;
            self.supervisor.tell(Command::Poison { farm: self.shared.id });
        }
    }

    /// All workers are gone and their rings drained: what is published still is lost, the rest goes on over new segments.
    fn start_anew(&mut self) {
        self.poisoned = true;
        for (_, slot, turn) in self.tasks.published() {
            self.lost(slot, turn, true, &ExitRecord::of_poisoned());
        }
        // Nobody holds a slot any more, whatever the states say.
        (0..SLOTS as u32).for_each(|slot| self.unpublish(slot));
        let blocks = self.lent.all_released();
        self.give(blocks);
        // Blocks of tasks that wait lie in the request arena, which only the parent writes to under its own
        // bookkeeping: it stays, the queue is made anew.
        let Ok(queue) = QueueSegment::create(self.shared.bells().len()) else {
            self.settle_all(settled::NO_MEMORY);
            self.queue_missing = true;
            return;
        };
        let first = queue.queue.first_turn();
        queue.watch(self.listeners.starts);
        self.line = Arc::new(FarmLine { queue, requests: self.requests.segment().clone() });
        self.tasks.restart(first);
        self.shared.tail.store(first, Release);
        self.room_until = first + ENTRIES as u64;
        self.poisoned = false;
        self.asked = 0;
        self.supervisor.tell(Command::Reset { farm: self.shared.id, line: self.line.clone() });
    }
}
