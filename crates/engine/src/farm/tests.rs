//! The farm as its JavaScript thread drives it, with workers that the test plays itself and a supervisor that nobody is.

use super::drain::Drained;
use super::frames::HEAD;
use super::Farm;
use crate::settings::Settings;
use crate::shared::{FarmEvent, WorkerLine};
use crate::supervisor::{Command, Inbox};
use crossbeam::channel::{unbounded, Receiver};
use farm_sys::Doorbell;
use farm_transport::endpoint::{Endpoint, Hello, Next, Outcome, Parts, Running, Sent};
use farm_transport::frame::{reply, word, Attachment, ReplyHead};
use farm_transport::layout::{self, worker as at, SMALLEST_ARENA};
use farm_transport::{Claim, Entry, Kind, Producer, Segment, WorkerSegment};
use std::sync::atomic::Ordering::*;
use std::sync::Arc;

const TIMES: u32 = 1 << 8;
const PLAN: u32 = 1 << 10;

struct Trial {
    farm: Farm,
    commands: Receiver<Command>,
    out: Vec<u8>,
}

#[derive(Default, Clone, Copy)]
struct Options {
    timeout: f64,
    queue_timeout: f64,
    retries: u32,
    priority: i16,
}

impl Trial {
    fn new(max: usize, lanes: usize) -> Trial {
        let (sender, commands) = unbounded();
        let inbox = Box::leak(Box::new(Inbox { commands: sender, bell: Arc::new(Doorbell::new().unwrap()) }));
        let settings: Settings = serde_json::from_value(serde_json::json!({
            "min": 0, "max": max, "lanes": lanes, "start": 1_000_000_000u64, "startAttempts": 3, "spares": 0,
            "grace": 1_000_000_000u64, "spin": 0, "maxCrashes": 3, "views": true, "maxShared": 1 << 20,
            "program": { "path": "", "args": [], "env": [] }, "stdout": "ignore", "stderr": "ignore",
        }))
        .unwrap();
        Trial { farm: Farm::under(inbox, settings, Arc::from([])).unwrap(), commands, out: vec![0; 1 << 20] }
    }

    fn submit(&mut self, id: u32, options: Options, payload: &[u8]) {
        let mut batch = Vec::new();
        for word in [id, TIMES | PLAN, payload.len() as u32, 0] {
            batch.extend_from_slice(&word.to_le_bytes());
        }
        batch.extend_from_slice(&options.timeout.to_le_bytes());
        batch.extend_from_slice(&options.queue_timeout.to_le_bytes());
        batch.extend_from_slice(&options.retries.to_le_bytes());
        batch.extend_from_slice(&options.priority.to_le_bytes());
        batch.extend_from_slice(&7u16.to_le_bytes());
        batch.extend_from_slice(payload);
        batch.resize(batch.len().next_multiple_of(8), 0);
        self.farm.submit(&batch);
    }

    fn join(&mut self, worker: u16) -> Player {
        let arena = Segment::create_sparse("farm-replies", SMALLEST_ARENA, SMALLEST_ARENA).unwrap();
        let line = WorkerLine::new(WorkerSegment::create().unwrap(), arena);
        let shared = &self.farm.shared;
        let workers = shared.bells().len();
        let hello = Hello {
            layout: layout::VERSION,
            worker,
            workers,
            lanes: shared.settings.lanes,
            pulse: false,
            tasks: 0,
            spin_ns: 0,
            cpus: 1,
            boot_len: 0,
            arena_len: line.arena.len(),
            requests_len: self.farm.line.requests.len(),
            max_shared: shared.settings.max_shared,
        };
        let parts = Parts {
            queue: self.farm.line.queue.share(workers),
            requests: self.farm.line.requests.clone(),
            own: line.own.clone(),
            arena: line.arena.clone(),
            parent_bell: Doorbell::new().unwrap(),
            bells: shared.bells(),
        };
        shared.post(FarmEvent::Joined { worker: worker.into(), line: line.clone() });
        self.drain();
        Player { endpoint: Endpoint::local(hello, parts), line }
    }

    /// Number and kind of each frame that came in.
    fn drain(&mut self) -> Vec<(u32, u32)> {
        let Drained { len, .. } = self.farm.drain(&mut self.out);
        let mut frames = Vec::new();
        let mut at = 0;
        while at < len {
            let (first, second) = (word(&self.out, at), word(&self.out, at + 8));
            frames.push((first as u32, (first >> 32) as u32));
            at = (at + HEAD + second as u32 as usize).next_multiple_of(8);
        }
        frames
    }

    /// The worker ends, for this reason.
    fn ends(&mut self, player: Player, worker: u16, killed_for: Option<&'static str>) {
        let held = self.farm.shared.held_by(&self.farm.line, worker, &player.line);
        let mut record = crate::process::ExitRecord::of_poisoned();
        (record.verdict, record.killed_for) = ("killed", killed_for);
        self.farm.shared.post(FarmEvent::Exited { worker: worker.into(), record, held, planned: false });
    }

    fn poisoned(&self) -> bool {
        self.commands.try_iter().any(|command| matches!(command, Command::Poison { .. }))
    }
}

struct Player {
    endpoint: Endpoint,
    line: Arc<WorkerLine>,
}

impl Player {
    fn claim(&mut self) -> Option<(usize, Running)> {
        self.endpoint.wake();
        match self.endpoint.step() {
            Next::Task { lane, task } => Some((lane, task)),
            _ => None,
        }
    }

    fn answer(&mut self, lane: usize) {
        assert_eq!(self.endpoint.finish(lane, reply::RESULT, Outcome::default()), Sent::Yes);
    }

    /// Another producer of its replies, which says whatever the test wants.
    fn liar(&self) -> Producer {
        self.line.own.producer(at::REPLIES)
    }
}

#[test]
fn a_task_goes_to_a_worker_and_its_reply_comes_back() {
    let mut trial = Trial::new(1, 1);
    trial.submit(7, Options::default(), b"hello");
    let mut player = trial.join(0);
    let (lane, _) = player.claim().unwrap();
    player.answer(lane);
    assert_eq!(trial.drain(), [(7, reply::RESULT)]);
    assert_eq!(trial.farm.open_tasks(), 0);
}

#[test]
fn tasks_that_leaving_workers_hold_keep_no_other_from_being_published() {
    let mut trial = Trial::new(3, 1);
    for id in 0..3 {
        trial.submit(id, Options { priority: id as i16, ..Options::default() }, b"long");
    }
    let mut players: Vec<Player> = (0..3).map(|worker| trial.join(worker)).collect();
    let claims: Vec<_> = players.iter_mut().map(|player| player.claim().unwrap()).collect();
    trial.farm.resize(0, 1);
    // The two others leave when they have finished, which takes long.
    players[0].answer(claims[0].0);
    trial.drain();
    trial.submit(9, Options { priority: 9, ..Options::default() }, b"short");
    assert!(players[0].claim().is_some(), "an idle worker, and a task that waits");
}

#[test]
fn nothing_of_a_poisoned_queue_is_left_when_it_is_made_anew() {
    let mut trial = Trial::new(1, 1);
    let mut player = trial.join(0);
    trial.submit(1, Options { timeout: 1000.0, ..Options::default() }, &[1; 5000]);
    let (_, task) = player.claim().unwrap();
    assert!(trial.farm.cancel(1, super::End::Cancelled, &[]));
    assert_eq!(trial.farm.shared.timed.load(SeqCst), 1, "its worker has it still");
    // Somebody writes over its state: no exit will tell of it.
    trial.farm.line.queue.queue.release(task.slot, task.turn, 0);
    trial.farm.poisoned = true;
    trial.farm.shared.post(FarmEvent::Poisoned);
    trial.drain();
    assert_eq!((trial.farm.shared.timed.load(SeqCst), trial.farm.requests.used()), (0, 0));
    assert!(!trial.farm.poisoned);
}

#[test]
fn a_queue_timeout_is_over_once_a_task_was_started() {
    let mut trial = Trial::new(2, 2);
    let mut player = trial.join(0);
    trial.submit(1, Options { queue_timeout: 1e6, retries: 1, ..Options::default() }, b"neighbour");
    trial.submit(2, Options { queue_timeout: 1e6, ..Options::default() }, b"waits");
    player.claim().unwrap();
    // Its worker is killed for another task: it waits again, and nothing is counted.
    trial.ends(player, 0, Some("timeout"));
    trial.drain();
    assert!(!trial.farm.withdraw(1), "it was started");
    assert!(trial.farm.withdraw(2), "it was not");
}

#[test]
fn a_task_that_gets_no_other_try_is_counted_as_its_caller_hears_of_it() {
    let ends = |trial: &Trial| ["failed", "closed"].map(|name| trial.farm.stats.read()["ends"][name].as_u64().unwrap());
    for (destroyed, expected) in [(false, [1, 0]), (true, [0, 1])] {
        let mut trial = Trial::new(1, 1);
        let mut player = trial.join(0);
        trial.submit(1, Options { retries: 1, ..Options::default() }, b"");
        player.claim().unwrap();
        trial.ends(player, 0, None);
        trial.drain();
        trial.farm.end_retries();
        if destroyed {
            trial.farm.destroy();
        }
        trial.drain();
        assert_eq!(ends(&trial), expected);
    }
}

#[test]
fn a_task_claimed_by_nobody_there_is_can_be_cancelled() {
    let mut trial = Trial::new(1, 1);
    trial.submit(1, Options::default(), b"");
    let queue = &trial.farm.line.queue.share(layout::MAX_WORKERS).queue;
    assert!(matches!(queue.claim(1000), Claim::Got { .. }));
    assert!(trial.farm.cancel(1, super::End::Cancelled, &[]));
    assert!(trial.poisoned());
}

/// A reply of a running task as a worker may write it that keeps to no rule.
fn lie(len: u32, block: u64, rows: &[Attachment]) -> bool {
    let mut trial = Trial::new(1, 1);
    trial.submit(1, Options::default(), b"");
    let mut player = trial.join(0);
    let (_, task) = player.claim().unwrap();
    let queue = &trial.farm.line.queue.queue;
    assert!(queue.finish(task.slot, task.turn, 0) && queue.state(task.slot).kind() == Kind::Done);
    let task = Entry::new(task.turn, task.slot).0;
    let head = ReplyHead { task, len, attachments: rows.len() as u16, codec: 0, block, ran: 0, since: 0 }.encode();
    let table: Vec<u8> = rows.iter().flat_map(|row| row.encode()).collect();
    assert!(player.liar().push(reply::RESULT, &[&head, &table]));
    let Drained { handovers, .. } = trial.farm.drain(&mut trial.out);
    let poisoned = trial.poisoned();
    // No other reply gets bytes of one that was refused.
    assert!(!poisoned || handovers.is_empty() && trial.farm.view_bytes == 0);
    poisoned
}

#[test]
fn a_reply_larger_than_all_that_may_be_shared_is_a_lie() {
    let most = 1 << 20;
    assert!(!lie(most, 0, &[]), "as large as may be");
    assert!(lie(most + 1, 0, &[]));
    let row = |len| Attachment { at: 0, len };
    let table = Attachment::SIZE as u32;
    assert!(!lie(table, farm_transport::frame::NO_BLOCK, &[row(most.into())]));
    assert!(lie(table, farm_transport::frame::NO_BLOCK, &[row(u64::from(most) + 1)]));
}

#[test]
fn bytes_that_somebody_may_look_at_are_not_sent_once_more() {
    let rows = |at| [(0, 100_000), (at, 10)].map(|(at, len)| Attachment { at, len });
    let table = 2 * Attachment::SIZE as u32;
    assert!(!lie(table, farm_transport::frame::NO_BLOCK, &rows(100_000)), "side by side");
    assert!(lie(table, farm_transport::frame::NO_BLOCK, &rows(99_999)));
}

#[test]
fn a_short_timeout_is_forgotten_with_its_task() {
    let mut trial = Trial::new(2, 1);
    let mut player = trial.join(0);
    for (id, timeout) in [(0, 5.0), (1, 5.0), (2, 60_000.0)] {
        trial.submit(id, Options { timeout, ..Options::default() }, b"");
    }
    let least = |trial: &Trial| trial.farm.shared.least_timeout.load(SeqCst) / 1_000_000;
    for wanted in [5, 60_000] {
        assert_eq!(least(&trial), 5);
        let (lane, _) = player.claim().unwrap();
        player.answer(lane);
        trial.drain();
        assert_eq!(least(&trial), wanted, "the supervisor need not come back each 5 ms");
    }
    trial.submit(3, Options { timeout: 7.0, ..Options::default() }, b"");
    assert_eq!(least(&trial), 7);
}
