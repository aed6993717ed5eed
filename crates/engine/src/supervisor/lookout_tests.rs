//! The look around with workers of which only the shared memory and a letter are there.

use super::*;
use crate::settings::{indices, Settings};
use crossbeam::channel::unbounded;
use farm_transport::{Claim, QueueSegment, Segment, Stamp, WorkerSegment};
use std::cell::Cell;

/// All workers are in this state.
struct Fake {
    letter: char,
    cpu: Cell<u64>,
}

impl Processes for Fake {
    fn stands_still(&self, _: u16) -> bool {
        self.letter == 'T'
    }
    fn is_runnable(&self, _: u16) -> bool {
        self.letter == 'R'
    }
    fn cpu(&self, _: u16) -> Option<u64> {
        Some(self.cpu.get())
    }
    fn takes_tasks(&self, _: u16) -> bool {
        true
    }
}

struct Trial {
    shared: Shared,
    line: FarmLine,
    workers: Vec<(u16, Arc<WorkerLine>)>,
    fake: Fake,
    lookout: Lookout,
}

/// Two workers that sleep, and a published task.
fn trial(letter: char) -> Trial {
    let settings: Settings = serde_json::from_value(serde_json::json!({
        "min": 0, "max": 2, "lanes": 1, "start": 1, "startAttempts": 3, "spares": 0, "grace": 1, "spin": 0,
        "maxCrashes": 3, "views": true, "maxShared": 1, "program": { "path": "", "args": [], "env": [] },
        "stdout": "ignore", "stderr": "ignore",
    }))
    .unwrap();
    let requests = Arc::new(Segment::create("farm-requests", 4096).unwrap());
    let line = FarmLine { queue: QueueSegment::create(indices(2, 0)).unwrap(), requests };
    let shared = Shared::new(1, settings, unbounded().0).unwrap();
    let worker = |index| {
        let arena = Segment::create("farm-replies", 4096).unwrap();
        let worker = WorkerLine::new(WorkerSegment::create().unwrap(), arena);
        worker.own.phase().store(phase::ONLINE, SeqCst);
        line.queue.queue.sleeps(index);
        (index, worker)
    };
    let workers = vec![worker(0), worker(1)];
    let first = line.queue.queue.first_turn();
    shared.truth[0].turn.store(first, SeqCst);
    line.queue.queue.publish(0, first);
    shared.tail.store(first + 1, SeqCst);
    shared.open.store(1, SeqCst);
    let fake = Fake { letter, cpu: Cell::new(0) };
    Trial { shared, line, workers, fake, lookout: Lookout::default() }
}

impl Trial {
    fn looks(&mut self, times: u32, cpu: u64) -> Finding {
        let mut finding = Finding::Nothing;
        for _ in 0..times {
            self.fake.cpu.set(self.fake.cpu.get() + cpu);
            finding = self.lookout.look(&self.shared, &self.line, &self.workers, &[], &self.fake);
            if finding != Finding::Nothing {
                break;
            }
        }
        finding
    }

    fn rescued(&self) -> u64 {
        self.shared.rescued.load(SeqCst)
    }

    fn asleep(&self) -> [bool; 2] {
        [0, 1].map(|worker| self.line.queue.queue.is_asleep(worker))
    }
}

#[test]
fn a_task_that_nobody_was_rung_for_is_a_lost_wake_up() {
    let mut trial = trial('S');
    trial.looks(3, 0);
    assert_eq!((trial.rescued(), trial.asleep()), (1, [false, true]));
}

#[test]
fn a_ring_that_was_swallowed_is_none_but_somebody_else_is_rung() {
    // Stopped, or without a CPU, or neither.
    for (letter, rescued) in [('T', 0), ('R', 0), ('S', 1)] {
        let mut trial = trial(letter);
        assert_eq!(trial.line.queue.queue.wake(1, |_| {}), 1);
        trial.looks(3, 0);
        assert_eq!((trial.rescued(), trial.asleep()), (rescued, [false, false]), "{letter}");
    }
}

#[test]
fn one_that_computes_and_does_not_pull_has_not_swallowed_it() {
    let mut trial = trial('R');
    trial.line.queue.queue.rises(0);
    trial.workers[0].1.own.stamp(0, Stamp { task: 77, since: 1 });
    trial.looks(3, 0);
    assert_eq!(trial.rescued(), 1);
}

#[test]
fn a_worker_that_gets_no_cpu_between_claim_and_stamp_breaks_no_rule() {
    for (letter, cpu, finding) in
        [('R', 0, Finding::Nothing), ('T', 0, Finding::Nothing), ('R', 1, Finding::Poison), ('S', 0, Finding::Poison)]
    {
        let mut trial = trial(letter);
        assert!(matches!(trial.line.queue.queue.claim(0), Claim::Got { .. }));
        assert_eq!(trial.looks(60, cpu), finding, "{letter} {cpu}");
    }
}
