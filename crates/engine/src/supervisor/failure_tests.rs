//! Faults of the supervisor, which the test asks for.

use super::super::spawner::Order;
use super::*;
use crate::settings::{indices, Settings};
use crate::shared::{FarmLine, Shared};
use crossbeam::channel::{unbounded, Receiver, Sender};
use farm_sys::usage::process_state;
use farm_transport::{QueueSegment, Segment};

struct Trial {
    event_loop: EventLoop,
    commands: Sender<Command>,
    orders: Receiver<Order>,
}

impl Trial {
    fn new() -> Trial {
        let ((commands, received), (spawner, orders)) = (unbounded(), unbounded());
        let bell = Arc::new(Doorbell::new().unwrap());
        let poller = Poller::new().unwrap();
        poller.add(bell.fd(), BELL).unwrap();
        Trial { event_loop: EventLoop::new(poller, received, bell, spawner), commands, orders }
    }

    fn open(&mut self, id: u32) -> Receiver<FarmEvent> {
        let settings: Settings = serde_json::from_value(serde_json::json!({
            "min": 0, "max": 1, "lanes": 1, "start": 1_000_000_000_000u64, "startAttempts": 3, "spares": 0, "grace": 1,
            "spin": 0, "maxCrashes": 3, "views": true, "maxShared": 1, "stdout": "ignore", "stderr": "ignore",
            "program": { "path": "/bin/sleep", "args": ["sleep", "1000"], "env": [] },
        }))
        .unwrap();
        let (sender, events) = unbounded();
        let shared = Arc::new(Shared::new(id, settings, sender).unwrap());
        let requests = Arc::new(Segment::create("farm-requests", 4096).unwrap());
        let line = Arc::new(FarmLine { queue: QueueSegment::create(indices(1, 0)).unwrap(), requests });
        self.after(Command::Open { shared, line, boot: Arc::from([]) });
        events
    }

    fn after(&mut self, command: Command) {
        self.commands.send(command).unwrap();
        self.event_loop.turn_or_fail(&[]);
        self.event_loop.turn_or_fail(&[]);
    }

    /// Starts a worker of this farm, for which the test plays the spawner.
    fn spawn(&mut self, farm: u32) -> Child {
        self.after(Command::Demand { farm, tasks: 1 });
        let Ok(Order::Worker { plan, .. }) = self.orders.try_recv() else { panic!("no worker is started") };
        farm_sys::spawn(&plan, 0).unwrap()
    }
}

fn failures(events: &Receiver<FarmEvent>) -> Vec<String> {
    let message = |event| if let FarmEvent::Failed { message } = event { Some(message) } else { None };
    events.try_iter().filter_map(message).collect()
}

/// Killed and reaped.
fn is_gone(pid: i32) {
    while process_state(pid).is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn a_fault_ends_the_farm_that_it_was_about_and_no_other() {
    let mut trial = Trial::new();
    let (one, other) = (trial.open(1), trial.open(2));
    let (child, others) = (trial.spawn(1), trial.spawn(2));
    let (pid, others_pid) = (child.pid(), others.pid());
    trial.after(Command::Spawned { farm: 1, worker: 0, child: Ok(child) });
    trial.after(Command::Fault { farm: Some(1) });
    assert_eq!((failures(&one), failures(&other)), (vec!["a test".into()], vec![]));
    is_gone(pid);
    // What is still said about it finds nobody; the other one goes on.
    trial.after(Command::Demand { farm: 1, tasks: 1 });
    assert!(trial.orders.try_recv().is_err());
    trial.after(Command::Spawned { farm: 2, worker: 0, child: Ok(others) });
    assert!(other.try_iter().any(|event| matches!(event, FarmEvent::Spawned { .. })));
    assert!(process_state(others_pid).is_some());
    trial.event_loop.fail_all("the test is over");
    is_gone(others_pid);
}

#[test]
fn a_fault_beyond_any_farm_ends_all_and_new_ones_work() {
    let mut trial = Trial::new();
    let farms = [trial.open(1), trial.open(2)];
    trial.after(Command::Fault { farm: None });
    assert!(farms.iter().all(|events| failures(events) == ["a test"]));
    let fresh = trial.open(3);
    let child = trial.spawn(3);
    let pid = child.pid();
    trial.after(Command::Spawned { farm: 3, worker: 0, child: Ok(child) });
    assert!(fresh.try_iter().any(|event| matches!(event, FarmEvent::Spawned { pid: of, .. } if of == pid)));
    trial.event_loop.fail_all("the test is over");
    is_gone(pid);
}

#[test]
fn a_child_that_comes_after_its_farm_has_failed_is_not_left_behind() {
    let mut trial = Trial::new();
    let events = trial.open(1);
    let child = trial.spawn(1);
    let pid = child.pid();
    trial.after(Command::Fault { farm: Some(1) });
    assert_eq!(failures(&events).len(), 1);
    trial.after(Command::Spawned { farm: 1, worker: 0, child: Ok(child) });
    is_gone(pid);
}
