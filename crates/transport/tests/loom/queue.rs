//! Order and storage: publish, claim, help the head, over two laps of the entries.

use crate::line::{check, Line};
use farm_transport::{Claim, Kind};
use loom::thread;
use std::sync::Arc;

/// Claims once; gives the turn, after a look at the payload.
fn claim(line: &Line, worker: u16) -> Option<(u64, u32)> {
    match line.queue.claim(worker) {
        Claim::Got { turn, slot } => {
            assert_eq!(
                line.payload(slot),
                turn * 10,
                "worker {worker} took turn {turn} and read another task's payload"
            );
            Some((turn, slot))
        }
        Claim::Empty => None,
    }
}

fn claims(line: Arc<Line>, worker: u16, finish_from: u64, times: usize) -> thread::JoinHandle<Vec<u64>> {
    thread::spawn(move || {
        let mut got = Vec::new();
        for _ in 0..times {
            if let Some((turn, slot)) = claim(&line, worker) {
                got.push(turn);
                // The first task is one that never ends.
                if turn >= finish_from {
                    assert!(line.queue.finish(slot, turn, worker), "nobody else ends turn {turn}");
                }
            }
        }
        got
    })
}

/// Two entries, four tasks: two laps. The first task keeps its slot for ever, the second may be withdrawn, and then (or
/// when it is done) the fourth is published in its slot.
#[test]
fn two_laps_with_a_withdrawn_task_and_a_slot_that_stays_claimed() {
    check("two laps", 2, || {
        let line = Line::new(2, 4, 3);
        let queue = &line.queue;
        let first = queue.first_turn();
        line.publish(0, first);
        line.publish(1, first + 1);
        let workers = [claims(line.clone(), 0, first + 1, 2), claims(line.clone(), 1, first + 1, 1)];

        let withdrawn = queue.withdraw(1, first + 1);
        let room = |turn| {
            while !queue.has_room(turn) {
                thread::yield_now();
            }
        };
        room(first + 2);
        line.publish(2, first + 2);
        room(first + 3);
        let again = withdrawn || queue.state(1).kind() == Kind::Done;
        line.publish(if again { 1 } else { 3 }, first + 3);

        let mut got: Vec<u64> = Vec::new();
        for worker in workers {
            let turns = worker.join().unwrap();
            assert!(turns.is_sorted(), "a worker took {turns:?}");
            got.extend(turns);
        }
        while let Some((turn, _)) = claim(&line, 2) {
            got.push(turn);
        }
        got.sort_unstable();
        let expected: Vec<u64> = (first..first + 4).filter(|turn| !withdrawn || *turn != first + 1).collect();
        assert_eq!(got, expected, "every task that was not taken back is claimed once");
    });
}

/// A consumer that stood still for a lap finds another task in the slot it was about to take.
#[test]
fn a_late_consumer_never_takes_the_next_task_of_a_slot() {
    check("late consumer", 3, || {
        let line = Line::new(2, 1, 2);
        let queue = &line.queue;
        let first = queue.first_turn();
        line.publish(0, first);
        let worker = claims(line.clone(), 0, first, 2);
        let withdrawn = queue.withdraw(0, first);
        while !withdrawn && queue.state(0).kind() != Kind::Done {
            thread::yield_now();
        }
        line.publish(0, first + 1);
        let mut got = worker.join().unwrap();
        while let Some((turn, _)) = claim(&line, 1) {
            got.push(turn);
        }
        let expected = if withdrawn { vec![first + 1] } else { vec![first, first + 1] };
        assert_eq!(got, expected);
    });
}

/// The parent makes room past withdrawn entries although no consumer comes by.
#[test]
fn the_parent_helps_the_head_over_withdrawn_entries() {
    check("help", 3, || {
        let line = Line::new(2, 3, 1);
        let queue = &line.queue;
        let first = queue.first_turn();
        line.publish(0, first);
        line.publish(1, first + 1);
        let worker = claims(line.clone(), 0, first, 1);
        let taken_back = (0..2).filter(|n| queue.withdraw(*n, first + u64::from(*n))).count();
        if taken_back == 2 {
            assert!(queue.has_room(first + 2) && queue.has_room(first + 3), "nothing is left to wait for");
            line.publish(2, first + 2);
        }
        let got = worker.join().unwrap();
        let rest = std::iter::from_fn(|| claim(&line, 0)).count();
        assert_eq!(got.len() + rest, if taken_back == 2 { 1 } else { 2 - taken_back });
    });
}
