//! A task ends once: done by its worker, revoked by the supervisor or the caller, or lost with its worker, which may die
//! at any point of its reply. The parent's books are a copy of the rules in `engine`: it settles from its private record,
//! takes news before it drains the ring, and handles an exit after the ring is empty.

use crate::line::{check, ring, Line};
use farm_transport::{Claim, Consumer, Kind, Producer, State};
use loom::sync::Mutex;
use loom::thread;
use std::collections::VecDeque;
use std::sync::Arc;

const WORKER: u16 = 0;
const SLOT: u32 = 0;
const RESULT: u32 = 1;
const RELEASED: u32 = 4;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Dies {
    BeforeTheSwap,
    AfterTheSwap,
    AfterTheFrame,
    Never,
}

enum News {
    TimedOut,
    Exited { held: bool },
}

fn work(line: &Line, turn: u64, mut replies: Producer, dies: Dies) {
    assert_eq!(line.payload(SLOT), turn * 10);
    if dies == Dies::BeforeTheSwap {
        return;
    }
    let done = line.queue.finish(SLOT, turn, WORKER);
    if !done {
        assert!(line.queue.release(SLOT, turn, WORKER), "neither claimed nor revoked");
    }
    if dies == Dies::AfterTheSwap {
        return;
    }
    assert!(replies.push(if done { RESULT } else { RELEASED }, &[]));
}

struct Books {
    turn: u64,
    open: bool,
    settled: u32,
    slot_came_back: u32,
    news: Arc<Mutex<VecDeque<News>>>,
    replies: Consumer,
}

impl Books {
    fn settle(&mut self) {
        if self.open {
            self.open = false;
            self.settled += 1;
        }
    }

    fn drain(&mut self, line: &Line) {
        let news = std::mem::take(&mut *self.news.lock().unwrap());
        let mut held_by_the_dead = false;
        for news in news {
            match news {
                News::TimedOut => self.settle(),
                News::Exited { held } => held_by_the_dead |= held,
            }
        }
        while let Some((tag, len)) = self.replies.peek().unwrap() {
            self.replies.advance(len);
            let state = line.queue.state(SLOT);
            match tag {
                RESULT => assert_eq!(state, State::new(self.turn, WORKER, Kind::Done), "a result without its swap"),
                // Its news may still be on the way.
                _ => assert_eq!(state, State::new(self.turn, WORKER, Kind::Released), "let go without its swap"),
            }
            self.settle();
            self.slot_came_back += 1;
        }
        if held_by_the_dead && self.slot_came_back == 0 {
            self.settle();
            self.slot_came_back += 1;
        }
    }
}

fn supervise(line: &Line, turn: u64, news: &Mutex<VecDeque<News>>, worker: thread::JoinHandle<()>, dies: Dies) {
    if line.queue.revoke(SLOT, turn, WORKER) {
        news.lock().unwrap().push_back(News::TimedOut);
    }
    // The end of the thread stands for the reaped process.
    worker.join().unwrap();
    if dies != Dies::Never {
        let state = line.queue.state(SLOT);
        let kind = state.kind();
        let held = state.turn() == turn
            && state.owner() == WORKER
            && matches!(kind, Kind::Claimed | Kind::Done | Kind::Revoked | Kind::Released);
        news.lock().unwrap().push_back(News::Exited { held });
    }
}

fn settles_once(name: &'static str, dies: Dies, given_up: bool) {
    check(name, 2, move || {
        let line = Line::new(2, 1, 1);
        let turn = line.queue.first_turn();
        line.publish(SLOT, turn);
        assert_eq!(line.queue.claim(WORKER), Claim::Got { turn, slot: SLOT });
        let (producer, replies) = ring(16);
        let news = Arc::new(Mutex::new(VecDeque::new()));
        let worker = thread::spawn({
            let line = line.clone();
            move || work(&line, turn, producer, dies)
        });
        let supervisor = thread::spawn({
            let (line, news) = (line.clone(), news.clone());
            move || supervise(&line, turn, &news, worker, dies)
        });
        let mut books = Books { turn, open: true, settled: 0, slot_came_back: 0, news, replies };
        if given_up {
            // The caller gives the task up: settled, then revoked if it still runs.
            assert!(!line.queue.withdraw(SLOT, turn));
            books.settle();
            line.queue.revoke(SLOT, turn, WORKER);
        }
        books.drain(&line);
        if books.slot_came_back == 1 {
            // Somebody else's task may have the slot at once; the worker does not look at it any more.
            line.publish(SLOT, turn + 1);
        }
        supervisor.join().unwrap();
        if books.slot_came_back == 0 {
            books.drain(&line);
        }
        assert_eq!((books.settled, books.slot_came_back), (1, 1), "settled, slot came back ({dies:?})");
    });
}

#[test]
fn done_against_revoked() {
    settles_once("done, revoked", Dies::Never, false);
}

#[test]
fn done_against_revoked_against_given_up() {
    settles_once("done, revoked, given up", Dies::Never, true);
}

#[test]
fn a_worker_that_dies_before_it_ends_its_task() {
    settles_once("dies before the swap", Dies::BeforeTheSwap, false);
}

#[test]
fn a_worker_that_dies_between_ending_its_task_and_its_reply() {
    settles_once("dies after the swap", Dies::AfterTheSwap, false);
}

#[test]
fn a_worker_that_dies_behind_its_reply() {
    settles_once("dies after the frame", Dies::AfterTheFrame, false);
}
