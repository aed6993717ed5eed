//! Sleep and wake: who sleeps has looked after everybody could see it sleep, or is rung.
//!
//! A bell is a note taken by the ringing closure; nobody waits for one. At the end of each execution a task or reply that
//! lies there must have rung somebody who sleeps.

use crate::line::{check, ring, Line};
use farm_transport::sync::AtomicU64;
use farm_transport::Claim;
use loom::thread;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// As a worker does: takes a task, or goes to sleep after one more look. True when it took one.
fn takes_or_sleeps(line: &Line, worker: u16) -> bool {
    loop {
        if line.queue.claim(worker) != Claim::Empty {
            return true;
        }
        line.queue.sleeps(worker);
        if !line.queue.has_ready() {
            return false;
        }
        line.queue.rises(worker);
    }
}

/// `sleeping`: the workers that live and have gone to sleep. One whose bit is gone was rung since.
fn assert_nothing_is_forgotten(line: &Line, sleeping: &[u16]) {
    let rung = sleeping.iter().any(|worker| !line.queue.is_asleep(*worker));
    assert!(
        !line.queue.has_ready() || sleeping.is_empty() || rung,
        "a task waits, {sleeping:?} sleep, nobody was rung"
    );
}

#[test]
fn a_worker_that_goes_to_sleep_takes_the_task_or_is_rung() {
    check("worker sleeps", 3, || {
        let line = Line::new(2, 2, 1);
        let first = line.queue.first_turn();
        let worker = thread::spawn({
            let line = line.clone();
            move || takes_or_sleeps(&line, 0)
        });
        line.publish(0, first);
        line.queue.wake(1, |_| {});
        let took = worker.join().unwrap();
        assert_nothing_is_forgotten(&line, if took { &[] } else { &[0] });
        assert!(took || line.queue.has_ready());
    });
}

#[test]
fn two_workers_that_go_to_sleep_leave_no_task() {
    check("two workers sleep", 2, || {
        let line = Line::new(2, 2, 2);
        let first = line.queue.first_turn();
        let workers = [0, 1].map(|worker| {
            let line = line.clone();
            thread::spawn(move || takes_or_sleeps(&line, worker))
        });
        line.publish(0, first);
        line.publish(1, first + 1);
        line.queue.wake(2, |_| {});
        let took = workers.map(|worker| worker.join().unwrap());
        let sleeping: Vec<u16> = [0, 1].into_iter().filter(|worker| !took[*worker as usize]).collect();
        let awake = sleeping.iter().filter(|worker| !line.queue.is_asleep(**worker)).count();
        let left = 2 - took.into_iter().filter(|took| *took).count();
        assert!(awake >= left, "{left} tasks wait, {awake} of {sleeping:?} were rung");
    });
}

#[test]
fn two_ringers_ring_two_sleepers() {
    check("two ringers", 3, || {
        let line = Line::new(2, 2, 2);
        line.queue.sleeps(0);
        line.queue.sleeps(1);
        let other = thread::spawn({
            let line = line.clone();
            move || line.queue.wake(1, |_| {})
        });
        let rung = line.queue.wake(1, |_| {}) + other.join().unwrap();
        let asleep = [0, 1].into_iter().filter(|worker| line.queue.is_asleep(*worker)).count();
        assert_eq!((rung, asleep), (2, 0), "each ringer rings somebody whom the other does not");
    });
}

/// Worker 0 is killed in its sleep, with or without a ring that was meant for it. The supervisor then wakes one more.
#[test]
fn a_ring_that_went_to_a_dead_worker_is_made_good_after_the_reap() {
    check("dead target", 2, || {
        let line = Line::new(2, 2, 2);
        let first = line.queue.first_turn();
        line.queue.sleeps(0);
        let worker = thread::spawn({
            let line = line.clone();
            move || takes_or_sleeps(&line, 1)
        });
        let supervisor = thread::spawn({
            let line = line.clone();
            move || {
                line.queue.forget(0);
                line.queue.wake(1, |_| {});
            }
        });
        line.publish(0, first);
        line.queue.wake(1, |_| {});
        let took = worker.join().unwrap();
        supervisor.join().unwrap();
        assert_nothing_is_forgotten(&line, if took { &[] } else { &[1] });
    });
}

/// Worker 0 spins, so one task of each publication is left to it; what it does not take, worker 1 must hear of.
fn beside_a_spinner(name: &str, withdrawn: bool) {
    check(name, 2, move || {
        let line = Line::new(4, 3, 2);
        let first = line.queue.first_turn();
        line.queue.sleeps(1);
        assert!(line.queue.may_spin(0, 2));
        let worker = thread::spawn({
            let line = line.clone();
            move || {
                line.queue.has_ready();
                line.queue.stop_spinning(0);
                let took = takes_or_sleeps(&line, 0);
                if took {
                    line.queue.pass_on(|_| {});
                }
                took
            }
        });
        line.publish(0, first);
        if withdrawn {
            line.publish(1, first + 1);
        }
        line.queue.wake_beside_spinner(1, |_| {});
        if withdrawn {
            // Not to be the reason that the third is not seen.
            line.queue.withdraw(1, first + 1);
        }
        line.publish(2, first + 1 + u64::from(withdrawn));
        line.queue.wake_beside_spinner(1, |_| {});
        let took = worker.join().unwrap();
        assert_nothing_is_forgotten(&line, if took { &[1] } else { &[0, 1] });
    });
}

#[test]
fn a_worker_that_stops_spinning_forgets_no_task_left_to_it() {
    beside_a_spinner("spinner", false);
}

#[test]
fn a_withdrawn_task_hides_no_other_from_a_worker_that_spun() {
    beside_a_spinner("spinner, withdrawn", true);
}

/// Worker 0 runs something and leaves the next task to worker 1, which sleeps; another task is published meanwhile.
#[test]
fn a_worker_that_leaves_a_task_to_its_neighbour_hears_of_the_next_one() {
    check("neighbour", 3, || {
        let line = Line::new(4, 3, 2);
        let first = line.queue.first_turn();
        line.publish(0, first);
        line.queue.sleeps(1);
        let neighbour = Arc::new(Mutex::new(None));
        // Worker 1 starts when it is rung for the first time.
        let ring = {
            let (line, neighbour) = (line.clone(), neighbour.clone());
            move |worker: u16| {
                let mut neighbour = neighbour.lock().unwrap();
                if worker == 1 && neighbour.is_none() {
                    let line = line.clone();
                    *neighbour = Some(thread::spawn(move || {
                        let took = takes_or_sleeps(&line, 1);
                        if took {
                            line.queue.pass_on(|_| {});
                        }
                        took
                    }));
                }
            }
        };
        let worker = thread::spawn({
            let (line, ring) = (line.clone(), ring.clone());
            move || {
                let left = line.queue.leave_to_neighbour(0, &ring);
                if !left && line.queue.claim(0) != Claim::Empty {
                    line.queue.pass_on(&ring);
                    return false;
                }
                left || !takes_or_sleeps(&line, 0)
            }
        });
        line.publish(1, first + 1);
        line.queue.wake(1, &ring);
        let mut sleeping = Vec::new();
        if worker.join().unwrap() {
            sleeping.push(0);
        }
        let neighbour = neighbour.lock().unwrap().take();
        match neighbour.map(|neighbour| neighbour.join().unwrap()) {
            Some(true) => {}
            _ => sleeping.push(1),
        }
        assert_nothing_is_forgotten(&line, &sleeping);
    });
}

/// The parent goes to sleep while two workers reply.
#[test]
fn a_parent_that_goes_to_sleep_sees_the_reply_or_is_rung() {
    check("parent sleeps", 2, || {
        let line = Line::new(2, 1, 2);
        let rung = Arc::new(AtomicBool::new(false));
        let mut rings = Vec::new();
        let workers: Vec<_> = (0..2u32)
            .map(|worker| {
                let (mut producer, consumer) = ring(32);
                rings.push(consumer);
                let (line, rung) = (line.clone(), rung.clone());
                thread::spawn(move || {
                    assert!(producer.push(worker, &[&[7]]));
                    if line.queue.must_ring_parent() {
                        rung.store(true, SeqCst);
                    }
                })
            })
            .collect();
        line.queue.parent_wakes();
        line.queue.parent_sleeps();
        let sleeps = rings.iter().all(|ring| ring.is_empty());
        if !sleeps {
            line.queue.parent_wakes();
        }
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(!sleeps || rung.load(SeqCst), "replies lie in the rings, the parent sleeps, nobody rang");
    });
}

/// A full ring: the worker keeps its reply and sleeps, the parent empties the ring and goes to sleep too.
#[test]
fn a_worker_that_waits_for_room_finds_it_or_is_rung() {
    check("room", 3, || {
        let line = Line::new(2, 1, 1);
        let wants = Arc::new(AtomicU64::new(0));
        let (mut producer, mut consumer) = ring(16);
        assert!(producer.push(1, &[&[1]]));
        let worker = thread::spawn({
            let wants = wants.clone();
            move || !producer.has_room(1) && !producer.wait_for_room(1, &wants)
        });
        consumer.advance(1);
        let mut rung = consumer.must_ring(&wants);
        line.queue.parent_sleeps();
        rung |= consumer.must_ring(&wants);
        assert!(!worker.join().unwrap() || rung, "the ring is empty and the worker waits for room");
    });
}
