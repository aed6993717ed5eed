//! The worker's end of the line: what a program in a child needs to take tasks and to answer them.

mod hello;
mod outbox;
mod stock;

pub use hello::{Hello, Parts, Refused, FIXED_FDS};
pub use outbox::{Outcome, Sent};
pub use stock::Stock;

use crate::arena::Arena;
use crate::frame::{hint, mail, reply, tell, NO_BLOCK};
use crate::layout::{phase, slot, worker, LANES};
use crate::patience::Patience;
use crate::queue::Claim;
use crate::ring::Consumer;
use crate::segment::{OutOfSegment, Segment};
use crate::sync::Ordering::*;
use crate::task_slot::{QueueSegment, TaskHeader};
use crate::word::Entry;
use crate::worker_segment::{Stamp, WorkerSegment};
use farm_sys::{monotonic_ns, Doorbell, Line};
use outbox::{Outbox, Times};
use std::sync::Arc;

/// A task this worker has claimed and not ended.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    pub turn: u64,
    pub slot: u32,
    pub since: u64,
    pub header: TaskHeader,
}

#[derive(Debug)]
pub enum Next {
    Task {
        lane: usize,
        task: Running,
    },
    /// The fate of the task in this lane is settled elsewhere: tell the code inside.
    Cancel {
        lane: usize,
        /// By its timeout, not by its caller.
        timed_out: bool,
        /// What the caller said about it, opaque here.
        reason: Vec<u8>,
    },
    /// Claim nothing more, finish what runs, leave.
    Retire,
    /// All lanes are taken, a reply waits for room, or the worker is paused or retires.
    Busy,
    /// Nothing to do; the doorbell will ring.
    Asleep,
}

/// Places among the mailboxes, in the order in which they are read.
const FROM_JS: usize = 0;
const FROM_SUPERVISOR: usize = 1;

pub struct Endpoint {
    hello: Hello,
    /// None when this endpoint lives in the parent's own process.
    line: Option<Line>,
    queue: QueueSegment,
    requests: Arc<Segment>,
    own: Arc<WorkerSegment>,
    mail: [Consumer; 2],
    outbox: Outbox,
    /// One per worker of the farm; ours is `bells[hello.worker]`.
    bells: Vec<Arc<Doorbell>>,
    lanes: [Option<Running>; LANES],
    running: usize,
    /// Tasks ended so far.
    ended: u64,
    retiring: bool,
    patience: Patience,
    /// The time when a task has just ended; what is claimed in the same step starts then. Else 0.
    now: u64,
}

impl Endpoint {
    /// Joins the farm: takes descriptors and settings from the line, maps the segments. Also gives the boot data, which
    /// is opaque here. Where that cannot be, the parent is told why, if it still listens.
    pub fn open(line: Line) -> Result<(Endpoint, Vec<u8>), Refused> {
        let joined = Hello::receive(&line).and_then(|(hello, fds)| {
            let (parts, boot) = hello.open(fds)?;
            Ok((hello, parts, boot))
        });
        match joined {
            Ok((hello, parts, boot)) => Ok((Self::over(hello, parts, Some(line)), boot)),
            Err(refused) => {
                let told = [&[tell::REFUSED], refused.to_string().as_bytes()].concat();
                // Else its exit says that it has not joined.
                let _ = line.send(&told, &[]);
                Err(refused)
            }
        }
    }

    /// For workers that do not map anything: the parent's own process takes their tasks and answers for them.
    pub fn local(hello: Hello, parts: Parts) -> Endpoint {
        Self::over(hello, parts, None)
    }

    fn over(hello: Hello, parts: Parts, line: Option<Line>) -> Endpoint {
        let Parts { queue, requests, own, arena, parent_bell, bells } = parts;
        let own = Arc::new(own);
        let outbox = Outbox::new(own.clone(), Arena::new(arena), parent_bell, hello.max_shared);
        Endpoint {
            // On a single CPU spinning takes the time from whoever would bring the work.
            patience: Patience::new(if hello.cpus < 2 { 0 } else { hello.spin_ns }),
            mail: [own.consumer(worker::MAIL_FROM_JS), own.consumer(worker::MAIL_FROM_SUPERVISOR)],
            outbox,
            queue,
            requests,
            own,
            bells,
            line,
            hello,
            lanes: [None; LANES],
            running: 0,
            ended: 0,
            retiring: false,
            now: 0,
        }
    }

    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    pub fn bell(&self) -> &Doorbell {
        &self.bells[self.hello.worker as usize]
    }

    /// True when it has ended as many tasks as one worker may.
    pub fn is_worn(&self) -> bool {
        self.hello.tasks > 0 && self.ended >= self.hello.tasks
    }

    pub fn running(&self) -> usize {
        self.running
    }

    /// The module is loaded: this worker takes tasks from now on.
    pub fn online(&self) {
        self.own.phase().store(phase::ONLINE, Release);
    }

    /// The parent hears of this process's end early, where it wants to.
    pub fn give_pulse(&self) {
        if let Some(line) = self.line.as_ref().filter(|_| self.hello.pulse) {
            // Without it the exit tells the parent.
            let _ = farm_sys::give_pulse(line.fd(), &[tell::PULSE]);
        }
    }

    /// From here on this process ends with the line, and the parent is heard on a thread beside the one that this is called
    /// on. After the pulse: threads end in the order in which they were made.
    pub fn tie(&self) -> farm_sys::Result<()> {
        let Some(line) = &self.line else { return Ok(()) };
        let stock = self.stock();
        farm_sys::watch_line(line.fd(), move |said| {
            if said == hint::QUIET {
                stock.cool();
            }
        })
    }

    /// The blocks of this worker's arena, for another thread to give back what is not wanted.
    pub fn stock(&self) -> Stock {
        self.outbox.stock().clone()
    }

    /// This worker leaves as it was told to.
    pub fn bye(&self) {
        self.own.phase().store(phase::BYE, Release);
    }

    /// A message to the supervisor outside of any task.
    pub fn tell(&self, message: &[u8]) -> farm_sys::Result<()> {
        match &self.line {
            Some(line) => line.send(message, &[]),
            None => Err(farm_sys::Error::Unsupported { what: "a message from an endpoint in the parent" }),
        }
    }

    /// What this worker should do next. Claims at most one task.
    pub fn step(&mut self) -> Next {
        loop {
            if let Some(next) = self.read_mail() {
                return next;
            }
            let waits = self.retiring || self.is_paused();
            if self.running >= self.hello.lanes || waits || !self.outbox.flush() {
                self.pass_on();
                return Next::Busy;
            }
            if self.running > 0
                && self.queue.queue.leave_to_neighbour(self.hello.worker, |neighbour| self.ring(neighbour))
            {
                return Next::Asleep;
            }
            match self.queue.queue.claim(self.hello.worker) {
                Claim::Got { turn, slot } => {
                    if let Some(next) = self.start(turn, slot) {
                        return next;
                    }
                }
                Claim::Empty if self.running == 0 && self.spin_for_work() => self.now = 0,
                Claim::Empty => {
                    self.now = 0;
                    if self.fall_asleep() {
                        return Next::Asleep;
                    }
                }
            }
        }
    }

    /// A spare, which takes no task yet.
    pub fn is_paused(&self) -> bool {
        self.own.paused().load(Acquire) != 0
    }

    /// Awake again, whatever the reason: the event loop turns, and whoever looks on can see it.
    pub fn wake(&mut self) {
        self.now = 0;
        self.queue.queue.rises(self.hello.worker);
        self.own.idle_since().store(0, Relaxed);
        // Only this side writes it.
        let beat = self.own.beat();
        beat.store(beat.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Before this worker stops pulling while tasks are ready, somebody else must know.
    pub fn pass_on(&self) {
        self.queue.queue.pass_on(|index| self.ring(index));
    }

    fn ring(&self, index: u16) {
        if let Some(bell) = self.bells.get(index as usize) {
            bell.ring();
        }
    }

    fn has_mail(&self) -> bool {
        self.mail.iter().any(|mail| !mail.is_empty())
    }

    fn read_mail(&mut self) -> Option<Next> {
        for index in 0..self.mail.len() {
            while let Ok(Some((tag, len))) = self.mail[index].peek() {
                let mut raw = [0; 8];
                let known = len.min(raw.len());
                self.mail[index].read(0, &mut raw[..known]);
                let mut reason = vec![0; len - known];
                self.mail[index].read(known, &mut reason);
                self.mail[index].advance(len);
                match tag {
                    mail::CANCEL => {
                        let task = Entry(u64::from_le_bytes(raw));
                        if let Some(lane) = self.lane_of(task.turn()) {
                            return Some(Next::Cancel { lane, timed_out: index == FROM_SUPERVISOR, reason });
                        }
                    }
                    mail::RETIRE => {
                        self.retiring = true;
                        self.pass_on();
                        return Some(Next::Retire);
                    }
                    _ => {}
                }
            }
        }
        None
    }

    fn lane_of(&self, turn: u64) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.is_some_and(|task| task.turn == turn))
    }

    /// Accepts a claimed task, or settles it at once when it came too late (`None`).
    fn start(&mut self, turn: u64, slot: u32) -> Option<Next> {
        let since = match std::mem::take(&mut self.now) {
            0 => monotonic_ns(),
            now => now,
        };
        self.pass_on();
        let lane = self.lanes.iter().position(Option::is_none)?;
        let header = self.queue.read_task(slot).ok()?;
        self.lanes[lane] = Some(Running { turn, slot, since, header });
        self.running += 1;
        if header.claim_by != 0 && since > header.claim_by {
            self.finish(lane, reply::EXPIRED, Outcome::default());
            return None;
        }
        let word = Entry::new(turn, slot).0;
        self.own.stamp(lane, Stamp { task: word, since });
        if self.queue.is_watched() {
            self.outbox.notice(reply::STARTED, &[&word.to_le_bytes(), &since.to_le_bytes()]);
            self.ring_parent();
        }
        Some(Next::Task { lane, task: Running { turn, slot, since, header } })
    }

    /// At most one worker of a farm spins, and only while a CPU is left for it.
    fn spin_for_work(&mut self) -> bool {
        let Endpoint { patience, queue, mail, hello, .. } = self;
        let queue = &queue.queue;
        let mut spinning = false;
        let found = patience.spin(
            || {
                spinning = queue.may_spin(hello.worker, hello.cpus);
                spinning
            },
            || queue.has_ready() || mail.iter().any(|mail| !mail.is_empty()),
        );
        if spinning {
            queue.stop_spinning(hello.worker);
        }
        found
    }

    /// True when the worker may sleep; false when something came in meanwhile.
    fn fall_asleep(&mut self) -> bool {
        self.queue.queue.sleeps(self.hello.worker);
        if self.queue.queue.has_ready() || self.has_mail() {
            self.queue.queue.rises(self.hello.worker);
            return false;
        }
        if self.running == 0 {
            self.own.idle_since().store(monotonic_ns(), Relaxed);
        }
        true
    }

    /// Copies `into.len()` bytes of a task's payload, from `offset` on.
    pub fn read_part(&self, task: &Running, offset: usize, into: &mut [u8]) -> Result<(), OutOfSegment> {
        if task.header.block != NO_BLOCK {
            return self.requests.copy_out(task.header.block.saturating_add(offset as u64), into);
        }
        let mut whole = [0; slot::INLINE_SIZE];
        self.queue.read_inline(task.slot, &mut whole)?;
        into.copy_from_slice(whole.get(offset..offset + into.len()).ok_or(OutOfSegment)?);
        Ok(())
    }

    /// Copies a task's payload into private memory; `into` has `header.len` bytes.
    pub fn read_payload(&self, task: &Running, into: &mut [u8]) -> Result<(), OutOfSegment> {
        match task.header.block {
            NO_BLOCK => self.queue.read_inline(task.slot, into),
            block => self.requests.copy_out(block, into),
        }
    }

    /// The segment that attachments of tasks lie in, for views.
    pub fn requests(&self) -> &Arc<Segment> {
        &self.requests
    }

    /// Nobody in this process looks at that attachment any more.
    pub fn attachment_done(&mut self, at: u64, len: u64) {
        self.outbox.notice(reply::VIEW_FREED, &[&at.to_le_bytes(), &len.to_le_bytes()]);
        self.ring_parent();
    }

    /// True when the code of this lane should stop: its task was revoked. Code that asks is no endless loop: it is given
    /// time to let go, as if the worker's loop had seen the cancel.
    pub fn is_revoked(&self, lane: usize) -> bool {
        use crate::word::Kind;
        let revoked = self.lanes[lane].is_some_and(|task| self.queue.queue.state(task.slot).kind() == Kind::Revoked);
        self.acknowledge(lane);
        revoked
    }

    /// Of a task that is revoked: true unless its caller has written that it gave one up, which is not read yet.
    pub fn looks_timed_out(&self) -> bool {
        self.mail[FROM_JS].is_empty()
    }

    /// Tells the supervisor that this worker's loop has seen the cancel, so it is not stuck in synchronous code.
    pub fn acknowledge(&self, lane: usize) {
        if let Some(task) = self.lanes[lane] {
            self.own.ack(lane).store(task.turn, Release);
        }
    }

    fn ring_parent(&self) {
        if self.queue.queue.must_ring_parent() {
            self.outbox.ring_parent();
        }
    }

    /// Room for the body of a reply that is too long to be copied at once. What is staged is sent by [`finish`](Self::finish).
    pub fn stage(&mut self, len: u64) -> Result<u64, Sent> {
        self.outbox.stage(len)
    }

    /// Copies a part of it to where [`stage`](Self::stage) said, and beyond.
    pub fn stage_part(&self, at: u64, part: &[u8]) -> Result<(), OutOfSegment> {
        self.outbox.stage_part(at, part)
    }

    /// A value on the way; false when there is no room now.
    pub fn progress(&mut self, lane: usize, outcome: Outcome) -> Sent {
        let Some(task) = self.lanes[lane] else { return Sent::Revoked };
        let sent =
            self.outbox.send(reply::PROGRESS, Entry::new(task.turn, task.slot).0, Times::default(), outcome, || true);
        self.ring_parent();
        sent
    }

    /// Ends the task of a lane with a result or an error. Unless the answer is [`Sent::Full`], the lane is free.
    pub fn finish(&mut self, lane: usize, tag: u32, outcome: Outcome) -> Sent {
        let Some(task) = self.lanes[lane] else { return Sent::Revoked };
        let word = Entry::new(task.turn, task.slot).0;
        self.now = monotonic_ns();
        let times = Times { since: task.since, ran: self.now.saturating_sub(task.since) };
        let (queue, worker) = (&self.queue.queue, self.hello.worker);
        let sent = self.outbox.send(tag, word, times, outcome, || queue.finish(task.slot, task.turn, worker));
        match sent {
            Sent::Full | Sent::NoMemory => return sent,
            Sent::Revoked => {
                queue.release(task.slot, task.turn, worker);
                self.outbox.notice(reply::RELEASED, &[&word.to_le_bytes()]);
            }
            Sent::Yes => {}
        }
        self.own.clear_stamp(lane);
        self.lanes[lane] = None;
        self.running -= 1;
        self.ended += 1;
        if self.ended == self.hello.tasks {
            // Should it not arrive, the worker only stays longer.
            let _ = self.tell(&[tell::WORN]);
        }
        self.ring_parent();
        sent
    }
}
