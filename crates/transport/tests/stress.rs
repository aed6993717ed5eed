//! Both ends of the line as threads of one process, so that the sanitizers see both: one parent that publishes, takes
//! back, revokes and drains, three workers that claim and reply. Each task must settle once and every byte be what was
//! sent. `npm run sanitize`; FARM_STRESS_TASKS for how many.
#![cfg(not(loom))]

use farm_sys::{Doorbell, Poller};
use farm_transport::frame::{reply, word, ReplyHead, NO_BLOCK};
use farm_transport::layout::{slot::INLINE_SIZE, worker as layout};
use farm_transport::{Arena, Claim, Consumer, Entry, Kind, Producer, QueueSegment, Segment, TaskHeader, WorkerSegment};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::Arc;

const WORKERS: usize = 3;
/// More than what fits into the reply rings, so that workers wait for room too.
const WINDOW: u32 = 600;
const ARENA: usize = 256 << 20;
const SMALL: usize = 64;
/// A wake-up that does not come within this time (ns) is lost.
const LOST: u64 = 60_000_000_000;

/// A doorbell and who waits for it. The locks of the standard library would do, but the thread sanitizer cannot see into
/// those.
struct Bell {
    doorbell: Doorbell,
    poller: Poller,
}

impl Bell {
    fn new() -> Self {
        let (doorbell, poller) = (Doorbell::new().unwrap(), Poller::new().unwrap());
        poller.add(doorbell.fd(), 0).unwrap();
        Bell { doorbell, poller }
    }

    fn ring(&self) {
        self.doorbell.ring();
    }

    fn wait(&self, who: &str) {
        let mut ready = Vec::new();
        self.poller.wait(&mut ready, Some(LOST)).unwrap();
        assert!(!ready.is_empty(), "{who} was never rung");
        self.doorbell.clear();
    }
}

struct Line {
    queue: QueueSegment,
    requests: Arc<Segment>,
    own: Vec<Arc<WorkerSegment>>,
    arenas: Vec<Arc<Segment>>,
    bells: Vec<Bell>,
    parent: Bell,
    over: AtomicBool,
}

impl Line {
    fn ring(&self, worker: u16) {
        self.bells[worker as usize].ring();
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// The bytes that belong to a task: its number, then what only this number and length give.
fn bytes_of(id: u64, len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len as u64).map(|at| (id.wrapping_mul(31) + at * 7) as u8).collect();
    bytes[..8].copy_from_slice(&id.to_le_bytes());
    bytes
}

/// Mostly small, some at the edge of what fits inline, a few large.
fn length(random: &mut Random, inline: usize) -> usize {
    match random.below(20) {
        0 => 8 + random.below(100_000) as usize,
        1..=4 => inline - random.below(3) as usize + 1,
        _ => 8 + random.below(SMALL as u64) as usize,
    }
}

struct Worker {
    line: Arc<Line>,
    index: u16,
    replies: Producer,
    given_back: Consumer,
    arena: Arena,
    random: Random,
}

impl Worker {
    fn new(line: Arc<Line>, index: u16) -> Self {
        let own = &line.own[index as usize];
        Worker {
            replies: own.producer(layout::REPLIES),
            given_back: own.consumer(layout::GIVEN_BACK),
            arena: Arena::new(line.arenas[index as usize].clone()),
            random: Random(0x9e37_79b9 + u64::from(index)),
            index,
            line,
        }
    }

    /// Gives itself back, so that the last owner of all memory is the thread that joins.
    fn run(mut self) -> Self {
        let line = self.line.clone();
        let queue = &line.queue.queue;
        loop {
            match queue.claim(self.index) {
                Claim::Got { turn, slot } => {
                    queue.pass_on(|worker| line.ring(worker));
                    self.work(turn, slot);
                }
                Claim::Empty if self.spins() => {}
                Claim::Empty => {
                    queue.sleeps(self.index);
                    if !queue.has_ready() {
                        if line.over.load(SeqCst) {
                            return self;
                        }
                        line.bells[self.index as usize].wait("a worker without a task");
                    }
                    queue.rises(self.index);
                }
            }
        }
    }

    fn spins(&mut self) -> bool {
        let queue = &self.line.queue.queue;
        if self.random.below(2) == 0 || !queue.may_spin(self.index, WORKERS) {
            return false;
        }
        let found = (0..self.random.below(200)).any(|_| {
            std::hint::spin_loop();
            queue.has_ready()
        });
        queue.stop_spinning(self.index);
        found
    }

    fn room_for(&mut self, len: usize) {
        let wants = self.line.own[self.index as usize].wants_room();
        while !self.replies.has_room(len) && !self.replies.wait_for_room(len, wants) {
            self.line.bells[self.index as usize].wait("a worker that waits for room");
        }
    }

    fn work(&mut self, turn: u64, slot: u32) {
        let header = self.line.queue.read_task(slot).unwrap();
        let mut payload = vec![0; header.len as usize];
        match header.block {
            NO_BLOCK => self.line.queue.read_inline(slot, &mut payload).unwrap(),
            block => self.line.requests.copy_out(block, &mut payload).unwrap(),
        }
        let id = word(&payload, 0);
        let same = payload == bytes_of(id, payload.len());
        // A revoked task's memory still belongs to this worker until it lets go.
        assert!(same, "the payload of task {id} is not what was sent");

        let answer = bytes_of(id, length(&mut self.random, layout::INLINE_REPLY));
        let inline = answer.len() <= layout::INLINE_REPLY;
        self.room_for(ReplyHead::SIZE + if inline { answer.len() } else { 0 });
        while let Ok(Some((_, len))) = self.given_back.peek() {
            let mut block = [0; 16];
            self.given_back.read(0, &mut block);
            self.given_back.advance(len);
            self.arena.give(word(&block, 0), word(&block, 8));
        }
        let block = if inline { NO_BLOCK } else { self.arena.store(&[&answer]).expect("the arena is large enough") };
        if self.random.below(8) == 0 {
            // A task that takes longer, so that others come between.
            std::thread::yield_now();
        }
        let task = Entry::new(turn, slot).0;
        let queue = &self.line.queue.queue;
        if queue.finish(slot, turn, self.index) {
            let head = ReplyHead { task, len: answer.len() as u32, attachments: 0, codec: 1, block, ran: 0, since: 0 }
                .encode();
            let body: &[u8] = if inline { &answer } else { &[] };
            assert!(self.replies.push(reply::RESULT, &[&head, body]), "room was made");
        } else {
            if !inline {
                self.arena.give(block, answer.len() as u64);
            }
            assert!(queue.release(slot, turn, self.index), "neither claimed nor revoked");
            assert!(self.replies.push(reply::RELEASED, &[&task.to_le_bytes()]), "room was made for more");
        }
        if queue.must_ring_parent() {
            self.line.parent.ring();
        }
    }
}

/// A publication. `open`: its task is not settled.
struct Published {
    id: u64,
    slot: u32,
    open: bool,
    block: Option<(u64, u64)>,
}

#[derive(Default, Debug)]
struct Counts {
    done: u64,
    withdrawn: u64,
    revoked: u64,
    slots_back: u64,
}

/// The parent's end of one worker.
struct End {
    replies: Consumer,
    given_back: Producer,
    /// Blocks that wait for room in the ring that takes them back.
    waiting: Vec<(u64, u64)>,
}

struct Parent {
    line: Arc<Line>,
    requests: Arena,
    free: Vec<u32>,
    turn: u64,
    published: HashMap<u64, Published>,
    ends: Vec<End>,
    random: Random,
    counts: Counts,
}

impl Parent {
    fn new(line: Arc<Line>) -> Self {
        let ends = line.own.iter().map(|own| End {
            replies: own.consumer(layout::REPLIES),
            given_back: own.producer(layout::GIVEN_BACK),
            waiting: Vec::new(),
        });
        Parent {
            ends: ends.collect(),
            requests: Arena::new(line.requests.clone()),
            free: (0..WINDOW).collect(),
            turn: line.queue.queue.first_turn(),
            published: HashMap::new(),
            random: Random(0x51_7cc1),
            counts: Counts::default(),
            line,
        }
    }

    fn publish(&mut self, id: u64) -> bool {
        let line = self.line.clone();
        if !line.queue.queue.has_room(self.turn) {
            return false;
        }
        let Some(slot) = self.free.pop() else { return false };
        let payload = bytes_of(id, length(&mut self.random, INLINE_SIZE));
        let inline = payload.len() <= INLINE_SIZE;
        let block =
            if inline { NO_BLOCK } else { self.requests.store(&[&payload]).expect("the arena is large enough") };
        let header = TaskHeader {
            len: payload.len() as u32,
            attachments: 0,
            codec: 1,
            copies: false,
            block,
            claim_by: 0,
            attempt: 1,
        };
        line.queue.write_task(slot, &header, if inline { &payload } else { &[] }).unwrap();
        line.queue.queue.publish(slot, self.turn);
        let block = (!inline).then_some((block, payload.len() as u64));
        self.published.insert(self.turn, Published { id, slot, open: true, block });
        self.turn += 1;
        true
    }

    fn slot_back(&mut self, turn: u64) {
        let Published { slot, block, .. } = self.published.remove(&turn).expect("a slot comes back once");
        if let Some((at, len)) = block {
            self.requests.give(at, len);
        }
        self.free.push(slot);
        self.counts.slots_back += 1;
    }

    /// As a caller that gives up, or a timeout, does.
    fn give_up(&mut self, turn: u64) {
        let Some(task) = self.published.get_mut(&turn).filter(|task| task.open) else { return };
        let queue = &self.line.queue.queue;
        if queue.withdraw(task.slot, turn) {
            self.counts.withdrawn += 1;
            self.slot_back(turn);
            return;
        }
        let state = queue.state(task.slot);
        assert_eq!(state.turn(), turn);
        if state.kind() == Kind::Claimed && queue.revoke(task.slot, turn, state.owner()) {
            task.open = false;
            self.counts.revoked += 1;
        }
    }

    fn drain(&mut self) {
        let line = self.line.clone();
        line.queue.queue.parent_wakes();
        for worker in 0..WORKERS {
            while let Some((tag, len)) = self.ends[worker].replies.peek().expect("a sound ring") {
                let mut frame = vec![0; len];
                self.ends[worker].replies.read(0, &mut frame);
                self.ends[worker].replies.advance(len);
                self.take(worker, tag, &frame);
            }
            let End { replies, given_back, waiting } = &mut self.ends[worker];
            waiting.retain(|(at, len)| !given_back.push(0, &[&at.to_le_bytes(), &len.to_le_bytes()]));
            if replies.must_ring(line.own[worker].wants_room()) {
                line.ring(worker as u16);
            }
        }
    }

    fn take(&mut self, worker: usize, tag: u32, frame: &[u8]) {
        let turn = Entry(word(frame, 0)).turn();
        let task = self.published.get_mut(&turn).expect("a frame of a task that has its slot");
        let state = self.line.queue.queue.state(task.slot);
        assert_eq!((state.turn(), usize::from(state.owner())), (turn, worker));
        if tag == reply::RELEASED {
            assert!(!task.open && state.kind() == Kind::Released, "{state:?}");
        } else {
            assert!(task.open && state.kind() == Kind::Done, "{state:?}");
            let head = ReplyHead::decode(frame[..ReplyHead::SIZE].try_into().unwrap());
            let mut answer = frame[ReplyHead::SIZE..].to_vec();
            if head.block != NO_BLOCK {
                answer = vec![0; head.len as usize];
                self.line.arenas[worker].copy_out(head.block, &mut answer).unwrap();
                self.ends[worker].waiting.push((head.block, u64::from(head.len)));
            }
            assert!(answer == bytes_of(task.id, answer.len()), "the answer to task {} is not what was sent", task.id);
            self.counts.done += 1;
        }
        self.slot_back(turn);
    }

    fn rest(&mut self) {
        let line = self.line.clone();
        let queue = &line.queue.queue;
        queue.parent_sleeps();
        for (worker, end) in self.ends.iter().enumerate() {
            if end.replies.must_ring(line.own[worker].wants_room()) {
                line.ring(worker as u16);
            }
        }
        if self.ends.iter().all(|end| end.replies.is_empty()) {
            line.parent.wait("the parent");
        }
        queue.parent_wakes();
    }

    fn run(mut self, tasks: u64) -> Counts {
        let line = self.line.clone();
        let mut next = 0;
        while next < tasks || !self.published.is_empty() {
            let burst = self.random.below(u64::from(WINDOW));
            let mut count = 0;
            while count < burst as usize && next < tasks && self.publish(next) {
                next += 1;
                count += 1;
            }
            line.queue.queue.wake_beside_spinner(count, |worker| line.ring(worker));
            for _ in 0..self.random.below(4) {
                // One that waits, and one that is just being claimed or run.
                let behind = self.random.below(8);
                self.give_up(self.turn - 1 - behind);
                self.give_up(line.queue.queue.head_turn() - 1 - behind / 3);
            }
            self.drain();
            if (next == tasks || self.free.is_empty()) && !self.published.is_empty() {
                self.rest();
            }
        }
        line.over.store(true, SeqCst);
        (0..WORKERS as u16).for_each(|worker| line.ring(worker));
        self.counts
    }
}

#[test]
fn every_task_settles_once_and_every_byte_arrives() {
    let tasks = std::env::var("FARM_STRESS_TASKS").ok().and_then(|tasks| tasks.parse().ok()).unwrap_or(10_000);
    let segment = |name| Arc::new(Segment::create(name, ARENA).unwrap());
    let line = Arc::new(Line {
        queue: QueueSegment::create(WORKERS).unwrap(),
        requests: segment("farm-stress"),
        own: (0..WORKERS).map(|_| Arc::new(WorkerSegment::create().unwrap())).collect(),
        arenas: (0..WORKERS).map(|_| segment("farm-stress")).collect(),
        bells: (0..WORKERS).map(|_| Bell::new()).collect(),
        parent: Bell::new(),
        over: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..WORKERS as u16)
        .map(|index| {
            let worker = Worker::new(line.clone(), index);
            std::thread::spawn(move || worker.run())
        })
        .collect();
    let counts = Parent::new(line).run(tasks);
    let workers: Vec<Worker> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    drop(workers);
    println!("{counts:?}");
    assert_eq!(counts.done + counts.withdrawn + counts.revoked, tasks);
    assert_eq!(counts.slots_back, tasks);
}
