//! A farm with workers that do not keep to any rule, seen by its supervisor, which the test plays.

use super::farm_state::{FarmState, Hands};
use super::spawner::Order;
use crate::pool::workers::{Event, Phase};
use crate::settings::{indices, Settings};
use crate::shared::{FarmEvent, FarmLine, Shared};
use crossbeam::channel::{unbounded, Receiver, Sender};
use farm_sys::{monotonic_ns, Line, Poller, SpawnPlan};
use farm_transport::frame::tell;
use farm_transport::{Claim, QueueSegment, Segment};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;

struct Trial {
    farm: FarmState,
    events: Receiver<FarmEvent>,
    poller: Poller,
    orders: (Sender<Order>, Receiver<Order>),
}

fn line(workers: usize) -> Arc<FarmLine> {
    let requests = Arc::new(Segment::create("farm-requests", 4096).unwrap());
    Arc::new(FarmLine { queue: QueueSegment::create(workers).unwrap(), requests })
}

impl Trial {
    fn new(max: usize) -> Trial {
        let settings: Settings = serde_json::from_value(serde_json::json!({
            "min": 0, "max": max, "lanes": 1, "start": 1_000_000u64, "startAttempts": 3, "spares": 0,
            "grace": 1_000_000_000u64, "spin": 0, "maxCrashes": 3, "views": true, "maxShared": 1 << 20,
            "program": { "path": "/bin/true", "args": [], "env": [] }, "stdout": "ignore", "stderr": "ignore",
        }))
        .unwrap();
        let (sender, events) = unbounded();
        let shared = Arc::new(Shared::new(1, settings, sender).unwrap());
        let farm = FarmState::new(shared, line(indices(max, 0)), Arc::from([]));
        Trial { farm, events, poller: Poller::new().unwrap(), orders: unbounded() }
    }

    fn act(&mut self, act: impl FnOnce(&mut FarmState, &Hands)) {
        act(&mut self.farm, &Hands { poller: &self.poller, spawner: &self.orders.0 });
    }

    /// The first worker, as it is to be spawned.
    fn ordered(&mut self) -> Box<SpawnPlan> {
        self.act(|farm, hands| farm.handle(Event::Demand(1), hands));
        let Ok(Order::Worker { plan, .. }) = self.orders.1.recv() else { panic!("no worker is started") };
        plan
    }

    fn all_gone(&self) -> bool {
        self.events.try_iter().any(|event| matches!(event, FarmEvent::Poisoned))
    }
}

#[test]
fn that_all_are_gone_is_told_when_the_last_one_could_not_be_spawned() {
    let mut trial = Trial::new(1);
    trial.act(|farm, hands| farm.handle(Event::Demand(1), hands));
    assert_eq!(trial.orders.1.len(), 1, "its spawning is under way");
    trial.act(FarmState::poison);
    assert!(!trial.all_gone());
    trial.act(|farm, hands| farm.spawned(0, Err(farm_sys::Error::Unsupported { what: "a test" }), hands));
    assert!(trial.all_gone());
}

#[test]
fn while_its_workers_end_nobody_waits_in_a_circle() {
    let mut trial = Trial::new(1);
    trial.act(|farm, hands| farm.handle(Event::Demand(1), hands));
    trial.act(|farm, _| farm.watch());
    trial.act(FarmState::poison);
    // The time of the next look around comes and goes.
    trial.farm.next_lookout = 1;
    let mut next = 0;
    trial.act(|farm, hands| next = farm.tick(hands));
    assert!(next > monotonic_ns());
}

#[test]
fn a_queue_made_during_a_resize_has_room_for_all_workers() {
    let mut trial = Trial::new(1);
    trial.act(FarmState::poison);
    trial.act(|farm, hands| farm.resize(0, 9, hands));
    // The JavaScript thread has made it before the supervisor heard of the new size.
    trial.act(|farm, hands| farm.reset(line(indices(1, 0)), hands));
    trial.act(|farm, hands| farm.handle(Event::Demand(9), hands));
    for worker in 0..9 {
        assert_eq!(trial.farm.pool.phase(worker), Phase::Starting);
        trial.act(|farm, hands| farm.spawned(worker, Err(farm_sys::Error::Unsupported { what: "a test" }), hands));
    }
    let last = indices(9, 0) - 1;
    trial.farm.line.queue.queue.forget(last as u16);
}

#[test]
fn a_worker_that_talks_without_end_is_heard_in_turns() {
    let mut trial = Trial::new(1);
    let plan = trial.ordered();
    let line = Line::from_fd(plan.pass[0].0.duplicate().unwrap());
    for _ in 0..40 {
        line.send(&[tell::ERROR], &[]).unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        trial.act(|farm, hands| farm.hear(0, hands));
        heard.push(trial.events.try_iter().filter(|event| matches!(event, FarmEvent::WorkerError { .. })).count());
    }
    assert_eq!(heard, [16, 16, 8]);
}

/// The head is this many turns beyond the last one that the JavaScript thread has said to be published.
fn head_beyond(turns: u64) -> bool {
    let mut trial = Trial::new(1);
    let line = trial.farm.line.clone();
    let queue = &line.queue.queue;
    let first = queue.first_turn();
    trial.farm.shared.tail.store(first, SeqCst);
    trial.farm.shared.open.store(1, SeqCst);
    for turn in first..first + turns {
        queue.publish(0, turn);
        assert!(matches!(queue.claim(0), Claim::Got { .. }));
    }
    for _ in 0..5 {
        trial.farm.next_lookout = 0;
        trial.act(|farm, hands| _ = farm.look_around(monotonic_ns(), hands));
    }
    trial.all_gone()
}

#[test]
fn a_task_that_is_claimed_before_its_publisher_goes_on_is_nobodys_lie() {
    assert!(!head_beyond(1), "that thread may wait for a CPU for long");
    assert!(head_beyond(2), "it publishes one after the other");
}

#[test]
fn a_timeout_that_is_set_while_no_task_seemed_to_have_one_stays() {
    let mut trial = Trial::new(1);
    trial.farm.shared.least_timeout.store(7_000_000, SeqCst);
    trial.act(|farm, hands| assert_eq!(farm.expire(monotonic_ns(), hands), u64::MAX));
    assert_eq!(trial.farm.shared.least_timeout.load(SeqCst), 7_000_000);
}

#[test]
fn what_a_worker_leaves_open_elsewhere_is_not_looked_at_after_its_end() {
    let mut trial = Trial::new(1);
    let plan = trial.ordered();
    let child = farm_sys::spawn(&plan, 0).unwrap();
    drop(plan);
    trial.act(|farm, hands| farm.spawned(0, Ok(child), hands));
    // What it has started has this end too, and nobody has the other.
    let (pulse, held) = farm_sys::pipe().unwrap();
    let kept = pulse.duplicate().unwrap();
    trial.act(|farm, hands| farm.feel(0, Some(pulse), hands));
    drop(held);
    while trial.farm.workers[0].is_some() {
        trial.act(|farm, hands| farm.check_exit(0, hands));
        std::thread::yield_now();
    }
    let mut ready = Vec::new();
    trial.poller.wait(&mut ready, Some(0)).unwrap();
    assert!(ready.is_empty(), "{ready:?}");
    drop(kept);
}

#[test]
fn a_program_that_the_system_does_not_start_in_time_is_a_failed_start_at_once() {
    let mut trial = Trial::new(1);
    trial.act(|farm, hands| farm.handle(Event::Demand(1), hands));
    assert!(trial.orders.1.try_recv().is_ok());
    let failures = |trial: &Trial| {
        trial.events.try_iter().filter(|event| matches!(event, FarmEvent::StartFailed { alone: true, .. })).count()
    };
    while trial.farm.pool.phase(0) == Phase::Starting {
        trial.act(|farm, hands| _ = farm.tick(hands));
        std::thread::yield_now();
    }
    assert_eq!(failures(&trial), 1);
    // Whoever asks again is not kept waiting by the first.
    trial.act(|farm, hands| farm.handle(Event::Demand(1), hands));
    assert!(trial.orders.1.try_recv().is_ok());
    trial.act(|farm, hands| farm.spawned(0, Err(farm_sys::Error::Unsupported { what: "a test" }), hands));
    assert_eq!(failures(&trial), 0, "it was told before");
}

#[test]
fn an_exit_that_the_poller_does_not_report_is_found() {
    let mut trial = Trial::new(1);
    let plan = trial.ordered();
    let child = farm_sys::spawn(&plan, 0).unwrap();
    // The poller refuses what it has.
    trial.poller.add(child.exit_fd().unwrap(), 0).unwrap();
    trial.act(|farm, hands| farm.spawned(0, Ok(child), hands));
    let until = monotonic_ns() + 10_000_000_000;
    while trial.farm.workers[0].is_some() {
        assert!(monotonic_ns() < until, "nobody looks");
        trial.act(|farm, hands| _ = farm.tick(hands));
        std::thread::yield_now();
    }
}
