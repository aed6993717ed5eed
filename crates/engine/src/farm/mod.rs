//! The farm as its JavaScript thread owns it: takes batches of tasks, publishes them, drains replies, settles. Everything
//! in here runs on that thread; what must go on while it is blocked is the supervisor's.

mod backlog;
mod blocks;
mod drain;
mod ending;
mod figures;
mod frames;
mod lent;
mod life;
mod notice;
mod priority;
mod retry;
pub mod settled;
mod shown;
mod stats;
mod submission;
mod timeouts;
mod views;
mod worker_end;

pub use drain::{Drained, Handover, ViewKey};
pub use stats::End;
pub use submission::Submission;

use crate::pool::tasks::Tasks;
use crate::settings::Settings;
use crate::shared::{FarmEvent, FarmLine, Shared, WorkerLine};
use crate::supervisor::{supervisor, Command, Inbox};
use backlog::{Backlog, Place};
use crossbeam::channel::{unbounded, Receiver};
use farm_sys::monotonic_ns;
use farm_transport::frame::NO_BLOCK;
use farm_transport::layout::{slot::INLINE_SIZE, ARENA, ENTRIES, SLOTS, SMALLEST_ARENA};
use farm_transport::{Arena, Budget, Patience, QueueSegment, Segment, TaskHeader};
use lent::Lent;
use stats::Stats;
use std::collections::hash_map::RandomState;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{Arc, Weak};
use timeouts::Timeouts;
use worker_end::WorkerEnd;

/// How long the JavaScript thread looks for replies before it goes back to its event loop, ns: less than the two system
/// calls and the wake-up that it saves.
const LOOP_SPIN: u64 = 20_000;

/// What is kept of an open task.
#[derive(Clone, Copy)]
struct Record {
    header: TaskHeader,
    timeout: u64,
    place: Place,
    /// When it came, ns.
    submitted: u64,
}

pub struct Farm {
    shared: Arc<Shared>,
    supervisor: &'static Inbox,
    line: Arc<FarmLine>,
    tasks: Tasks,
    records: Vec<Record>,
    backlog: Backlog,
    requests: Arena,
    lent: Lent,
    workers: Vec<Option<WorkerEnd>>,
    /// Of workers that are gone, while somebody looks at what they sent.
    left: Vec<Weak<WorkerLine>>,
    events: Receiver<FarmEvent>,
    /// Settlements that did not come out of a ring.
    verdicts: VecDeque<(u32, u32, Vec<u8>)>,
    exits: VecDeque<FarmEvent>,
    timeouts: Timeouts,
    /// Publishing is possible below this turn.
    room_until: u64,
    /// Most workers; changes with `resize`.
    max: usize,
    /// Workers asked for so far.
    asked: usize,
    poisoned: bool,
    /// After that: all workers are gone, what they left is to be drained before anything is made anew.
    all_gone: bool,
    /// There was no memory for that; it is tried again when somebody submits.
    queue_missing: bool,
    closing: bool,
    /// Of `requests`.
    budget: Budget,
    view_bytes: u64,
    patience: Patience,
    chance: RandomState,
    stats: Stats,
    listeners: frames::Listeners,
}

fn new_line(workers: usize) -> farm_sys::Result<Arc<FarmLine>> {
    let queue = QueueSegment::create(workers)?;
    Ok(Arc::new(FarmLine {
        queue,
        requests: Arc::new(Segment::create_sparse("farm-requests", ARENA, SMALLEST_ARENA)?),
    }))
}

impl Farm {
    /// A farm whose workers get `boot`, opaque here, when they start.
    pub fn open(settings: Settings, boot: Arc<[u8]>) -> farm_sys::Result<Farm> {
        Farm::under(supervisor()?, settings, boot)
    }

    fn under(supervisor: &'static Inbox, settings: Settings, boot: Arc<[u8]>) -> farm_sys::Result<Farm> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let (sender, events) = unbounded();
        let line = new_line(settings.indices())?;
        let shared = Arc::new(Shared::new(NEXT.fetch_add(1, Relaxed), settings, sender)?);
        supervisor.tell(Command::Open { shared: shared.clone(), line: line.clone(), boot });
        let first = line.queue.queue.first_turn();
        shared.tail.store(first, Release);
        let mut farm = Farm {
            tasks: Tasks::new(SLOTS, first, shared.settings.max_crashes),
            records: Vec::new(),
            backlog: Backlog::default(),
            requests: Arena::new(line.requests.clone()),
            lent: Lent::default(),
            workers: (0..shared.settings.indices()).map(|_| None).collect(),
            left: Vec::new(),
            events,
            verdicts: VecDeque::new(),
            exits: VecDeque::new(),
            timeouts: Timeouts::default(),
            room_until: first + ENTRIES as u64,
            asked: 0,
            max: shared.settings.max,
            poisoned: false,
            all_gone: false,
            queue_missing: false,
            closing: false,
            budget: Budget::new(shared.settings.max_shared),
            view_bytes: 0,
            patience: Patience::new(if shared.cpus < 2 || shared.settings.spin == 0 { 0 } else { LOOP_SPIN }),
            chance: RandomState::new(),
            stats: Stats::default(),
            listeners: frames::Listeners::default(),
            shared,
            supervisor,
            line,
        };
        if farm.shared.settings.min > 0 {
            farm.demand(farm.shared.settings.min);
        }
        Ok(farm)
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Tasks not settled.
    pub fn open_tasks(&self) -> usize {
        self.tasks.open()
    }

    /// Asks for up to `workers` workers without a task.
    pub fn demand(&mut self, workers: usize) {
        if workers > self.asked && !self.closing {
            self.asked = workers.min(self.max);
            self.supervisor.tell(Command::Demand { farm: self.shared.id, tasks: workers });
        }
    }

    /// Takes a batch of tasks, in order. What can be published is, and as many workers as needed are woken, once.
    pub fn submit(&mut self, batch: &[u8]) {
        let now = monotonic_ns();
        let mut rest = batch;
        let mut published = 0;
        while let Some((submission, next)) = Submission::parse(rest) {
            rest = next;
            published += self.accept(&submission, now);
        }
        published += self.reorder();
        self.published(published);
        if std::mem::take(&mut self.queue_missing) {
            self.all_gone = true;
            self.shared.parent_bell.ring();
        }
    }

    fn accept(&mut self, submission: &Submission, now: u64) -> usize {
        let id = submission.id;
        if !self.tasks.submit(id, submission.plan) {
            return 0;
        }
        if id as usize >= self.records.len() {
            let empty = Record { header: submission.header(0), timeout: 0, place: Place::NONE, submitted: 0 };
            self.records.resize((id as usize + 1).next_power_of_two(), empty);
        }
        if self.closing {
            self.tasks.cancel(id);
            self.verdict(id, settled::CLOSED, Vec::new());
            return 0;
        }
        let mut header = submission.header(now);
        let payload = submission.payload;
        if payload.len() > INLINE_SIZE {
            let block = if self.admits(payload.len() as u64) { self.requests.store(&[payload]) } else { None };
            match block {
                Some(at) => header.block = at,
                None => {
                    self.tasks.cancel(id);
                    submission.attachments().for_each(|row| self.detach(row.at));
                    self.verdict(id, settled::NO_MEMORY, Vec::new());
                    return 0;
                }
            }
        }
        if header.block != NO_BLOCK || header.attachments > 0 {
            let block = (header.block != NO_BLOCK).then_some((header.block, payload.len() as u64));
            self.lent.assign(id, block, submission.attachments().map(|row| row.at).collect());
        }
        self.records[id as usize] = Record { header, timeout: submission.timeout, place: Place::NONE, submitted: now };
        // The common case: nothing waits before it, so its bytes go straight into a slot.
        if self.tasks.waiting() == 1 && self.has_room() {
            if let Some((id, slot, turn)) = self.tasks.publish_next(self.window()) {
                let inline = if header.block == NO_BLOCK { payload } else { &[] };
                if submission.plan.retries > 0 {
                    self.records[id as usize].place = self.backlog.put(inline);
                }
                self.write_and_publish(id, slot, turn, inline);
                return 1;
            }
        }
        if header.block == NO_BLOCK {
            self.records[id as usize].place = self.backlog.put(payload);
        }
        0
    }

    fn has_room(&mut self) -> bool {
        let turn = self.tasks.next_turn();
        if self.poisoned {
            return false;
        }
        if turn >= self.room_until {
            if !self.line.queue.queue.has_room(turn) {
                return false;
            }
            self.room_until = self.line.queue.queue.head_turn().min(turn).saturating_add(ENTRIES as u64).max(turn + 1);
        }
        true
    }

    fn write_and_publish(&mut self, id: u32, slot: u32, turn: u64, inline: &[u8]) {
        let record = &self.records[id as usize];
        let truth = &self.shared.truth[slot as usize];
        if record.timeout > 0 {
            self.shared.timed.fetch_add(1, AcqRel);
            self.shared.least_timeout.fetch_min(record.timeout, AcqRel);
            self.timeouts.began(record.timeout);
        }
        truth.timeout.store(record.timeout, Relaxed);
        truth.turn.store(turn, Release);
        // The layout has room for every slot and inline payload.
        let _ = self.line.queue.write_task(slot, &record.header, inline);
        self.line.queue.queue.publish(slot, turn);
        // At once, not per batch: a head that stays beyond it is somebody's lie.
        self.shared.tail.store(turn + 1, Release);
    }

    /// Publishes what waits, as far as slots go.
    fn refill(&mut self) {
        let published = self.publish_waiting();
        self.published(published);
    }

    fn publish_waiting(&mut self) -> usize {
        let mut published = 0;
        while self.tasks.waiting() > 0 && self.has_room() {
            let Some((id, slot, turn)) = self.tasks.publish_next(self.window()) else { break };
            let place = self.records[id as usize].place;
            let backlog = std::mem::take(&mut self.backlog);
            self.write_and_publish(id, slot, turn, backlog.get(place));
            self.backlog = backlog;
            if !self.tasks.is_tried(id) {
                self.forget_payload(id);
            }
            published += 1;
        }
        published
    }

    /// The task's own copy of a small payload is no longer needed.
    fn forget_payload(&mut self, id: u32) {
        let place = std::mem::replace(&mut self.records[id as usize].place, Place::NONE);
        self.backlog.remove(place);
    }

    fn published(&mut self, count: usize) {
        self.shared.open.store(self.tasks.open() as u64, SeqCst);
        if count > 0 {
            let shared = &self.shared;
            self.line.queue.queue.wake_beside_spinner(count, |worker| shared.ring(worker));
        }
        if self.tasks.open() == 0 {
            return;
        }
        if self.asked < self.max && self.tasks.open() > self.asked {
            self.demand(self.tasks.open());
        }
        // Behind the fence of `wake_beside_spinner`, and the supervisor's `tick` behind its own: one of the two sees the other.
        let timed = self.shared.timed.load(Relaxed) > 0
            && monotonic_ns().saturating_add(self.shared.least_timeout.load(Relaxed))
                < self.shared.next_look.load(Acquire);
        if timed || (!self.shared.watched.load(SeqCst) && !self.shared.watched.swap(true, SeqCst)) {
            self.supervisor.tell(Command::Watch { farm: self.shared.id });
        }
    }

    /// The publication is over, whoever ended it.
    fn unpublish(&mut self, slot: u32) {
        let truth = &self.shared.truth[slot as usize];
        truth.turn.store(0, Release);
        // Only this thread writes it.
        let timeout = truth.timeout.load(Relaxed);
        if timeout > 0 {
            truth.timeout.store(0, Release);
            self.shared.timed.fetch_sub(1, AcqRel);
            self.timeouts.ended(timeout);
        }
    }

    /// The supervisor need not come back for a timeout that no task has any more. Only this thread gives slots timeouts, so
    /// none is missed.
    fn seek_least_timeout(&mut self) {
        if self.timeouts.are_stale() {
            let shared = &self.shared;
            let slots = if shared.timed.load(Relaxed) > 0 { &shared.truth[..] } else { &[] };
            let least = self.timeouts.seek(slots.iter().map(|truth| truth.timeout.load(Relaxed)));
            shared.least_timeout.store(least, Release);
        }
    }

    /// Only this thread counts.
    fn count_settled(&self) {
        let settled = &self.shared.settled;
        settled.store(settled.load(Relaxed) + 1, Relaxed);
    }

    fn verdict(&mut self, id: u32, kind: u32, body: Vec<u8>) {
        self.stats.verdict(kind);
        self.verdicts.push_back((id, kind, body));
        self.shared.parent_bell.ring();
    }

    /// A task is over and no worker has its slot. `worker`: who may still look at its attachments.
    fn task_over(&mut self, id: u32, worker: Option<usize>) {
        self.forget_payload(id);
        let header = &self.records[id as usize].header;
        if header.block != NO_BLOCK || header.attachments > 0 {
            let blocks = self.lent.task_over(id, worker);
            self.give(blocks);
        }
    }

    /// A task is over while a worker still holds its slot.
    fn detach_task(&mut self, id: u32, turn: u64) {
        self.forget_payload(id);
        self.lent.detach(id, turn);
    }

    /// The slot of a task that was settled before has come back.
    fn slot_released(&mut self, turn: u64, worker: Option<usize>) {
        let blocks = self.lent.released(turn, worker);
        self.give(blocks);
    }

    /// Another number of workers from now on.
    pub fn resize(&mut self, min: usize, max: usize) {
        self.max = max;
        self.supervisor.tell(Command::Resize { farm: self.shared.id, min, max });
        self.asked = 0;
        if self.tasks.open() > 0 {
            self.demand(self.tasks.open());
        }
    }

    /// Replaces all workers, one by one; `FarmEvent::Reloaded` follows.
    pub fn reload(&mut self) {
        self.supervisor.tell(Command::Reload { farm: self.shared.id });
    }

    /// Lets workers finish and leave; those that are not gone after `timeout` ms are killed (negative: never).
    pub fn close(&mut self, timeout: f64) {
        self.closing = true;
        let by = if timeout >= 0.0 { monotonic_ns().saturating_add((timeout * 1e6) as u64) } else { u64::MAX };
        self.supervisor.tell(Command::Close { farm: self.shared.id, by });
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        self.shared.output.end();
        self.supervisor.tell(Command::Destroy { farm: self.shared.id });
    }
}

#[cfg(test)]
mod tests;
