//! What holds for tasks whatever happens to them, in any order, beside a second bookkeeping that is simple and slow.

use super::{Cancel, Failure, Fate, Loss, Moment, Plan, Tasks};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const MS: u64 = 1_000_000;
const SLOTS: usize = 5;
const MAX_CRASHES: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Waiting,
    /// `claimed`: a worker has it.
    Published {
        slot: u32,
        turn: u64,
        claimed: bool,
    },
    Resting,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    at: At,
    plan: Plan,
    failed: u32,
}

/// What happens next: its kind, to whom, and how much time passes before it (ms).
type Happening = (u8, usize, u64);

struct World {
    tasks: Tasks,
    now: u64,
    open: BTreeMap<u32, Known>,
    /// Slots whose task is settled or elsewhere, and that a worker still has.
    left: BTreeSet<(u32, u64)>,
    retries: bool,
}

impl World {
    fn new() -> World {
        World {
            tasks: Tasks::new(SLOTS, 1, MAX_CRASHES),
            now: MS,
            open: BTreeMap::new(),
            left: BTreeSet::new(),
            retries: true,
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, jitter: self.now }
    }

    fn settled(&mut self, id: u32) {
        assert!(self.open.remove(&id).is_some(), "task {id} is settled twice");
    }

    fn one_of(&self, pick: usize, which: impl Fn(&At) -> bool) -> Option<(u32, Known)> {
        let those: Vec<_> = self.open.iter().filter(|(_, known)| which(&known.at)).collect();
        (!those.is_empty()).then(|| those[pick % those.len()]).map(|(id, known)| (*id, *known))
    }

    fn claimed(&self, pick: usize) -> Option<(u32, u32, u64)> {
        let (id, known) = self.one_of(pick, |at| matches!(at, At::Published { claimed: true, .. }))?;
        let At::Published { slot, turn, .. } = known.at else { return None };
        Some((id, slot, turn))
    }

    fn moves(&mut self, id: u32, at: At) {
        self.open.get_mut(&id).expect("an open task").at = at;
    }

    fn publish(&mut self, window: usize) {
        while let Some((id, slot, turn)) = self.tasks.publish_next(window) {
            let known = self.open[&id];
            assert_eq!(known.at, At::Waiting);
            let first =
                self.open.values().filter(|known| known.at == At::Waiting).map(|known| known.plan.priority).max();
            assert_eq!(first, Some(known.plan.priority), "the higher priority goes first");
            let taken =
                self.open.values().any(|known| matches!(known.at, At::Published { slot: of, .. } if of == slot));
            assert!(!taken && !self.left.iter().any(|(of, _)| *of == slot), "slot {slot} is given twice");
            self.moves(id, At::Published { slot, turn, claimed: false });
        }
    }

    fn fate(&mut self, id: u32, failure: Failure, fate: &Fate) {
        match fate {
            Fate::Requeued(of) => {
                assert_eq!(*of, id);
                self.moves(id, At::Waiting);
            }
            Fate::Retried(of) => {
                let known = self.open.get_mut(&id).expect("an open task");
                assert!(*of == id && self.retries && known.plan.covers(failure) && known.failed < known.plan.retries);
                known.failed += 1;
                known.at = At::Resting;
                assert_eq!(self.tasks.attempt(id), known.failed + 1);
            }
            Fate::Rejected { id: of, .. } => {
                assert_eq!(*of, id);
                self.settled(id);
            }
            Fate::Settled | Fate::Unknown => panic!("{fate:?} of an open task"),
        }
    }

    fn give_up_one(&mut self, id: u32) {
        match self.tasks.cancel(id) {
            Cancel::Dropped => self.settled(id),
            Cancel::Unknown => assert!(!self.open.contains_key(&id)),
            Cancel::Published { slot, turn } => {
                let claimed = matches!(self.open[&id].at, At::Published { claimed: true, .. });
                if claimed {
                    assert_eq!(self.tasks.detach(slot, turn), Some(id));
                    self.left.insert((slot, turn));
                } else {
                    assert_eq!(self.tasks.withdrawn(slot, turn), Some(id));
                }
                self.settled(id);
            }
        }
    }

    fn reorder(&mut self, window: usize) {
        for (slot, turn) in self.tasks.to_take_back(window) {
            let id = self.tasks.task_at(slot, turn).expect("what is to be taken back is published");
            if self.open[&id].at == (At::Published { slot, turn, claimed: false }) {
                assert_eq!(self.tasks.taken_back(slot, turn), Some(id));
                self.moves(id, At::Waiting);
            }
        }
    }

    fn give_up_all(&mut self) {
        let given = self.tasks.give_up();
        for (id, turn) in given.tasks {
            let known = self.open[&id];
            match known.at {
                At::Published { slot, turn: of, .. } => {
                    assert_eq!(turn, Some(of));
                    self.left.insert((slot, of));
                }
                _ => assert_eq!(turn, None),
            }
            self.settled(id);
        }
        assert!(self.open.is_empty());
    }

    /// All workers and their queue are gone.
    fn restart(&mut self) {
        for (id, slot, turn) in self.tasks.published() {
            let fate = self.tasks.lost(slot, turn, Loss::Started, self.moment());
            self.fate(id, Failure::Exit, &fate);
        }
        self.left.clear();
        self.tasks.restart(1);
    }

    fn happens(&mut self, (kind, pick, wait): Happening) {
        self.now += wait * MS;
        let id = pick as u32;
        let moment = self.moment();
        match kind {
            0..=5 => {
                let plan = Plan {
                    retries: [0, 0, 1, 5][pick % 4],
                    retry_on: (pick % 8) as u8,
                    priority: if pick % 3 == 0 { pick as i16 % 5 - 2 } else { 0 },
                };
                let new = self.tasks.submit(id, plan);
                assert_eq!(new, !self.open.contains_key(&id));
                if new {
                    self.open.insert(id, Known { at: At::Waiting, plan, failed: 0 });
                }
            }
            6..=8 => self.publish(1 + pick % 6),
            9..=12 => {
                if let Some((id, known)) = self.one_of(pick, |at| matches!(at, At::Published { claimed: false, .. })) {
                    let At::Published { slot, turn, .. } = known.at else { return };
                    self.moves(id, At::Published { slot, turn, claimed: true });
                }
            }
            13 | 14 => {
                if let Some((id, slot, turn)) = self.claimed(pick) {
                    assert_eq!(self.tasks.ended(slot, turn), Some(id));
                    self.settled(id);
                    assert_eq!(self.tasks.ended(slot, turn), None, "once");
                }
            }
            15..=17 => {
                let failure = [Failure::Error, Failure::Timeout, Failure::Error][usize::from(kind) - 15];
                if let Some((id, slot, turn)) = self.claimed(pick) {
                    let would = self.tasks.would_retry(id, failure);
                    let fate = self.tasks.failed(slot, turn, failure, moment);
                    assert_eq!(would, fate == Fate::Retried(id));
                    if failure == Failure::Timeout {
                        self.left.insert((slot, turn));
                    }
                    self.fate(id, failure, &fate);
                }
            }
            18..=20 => {
                let loss = [Loss::Unstarted, Loss::Started, Loss::Collateral][usize::from(kind) - 18];
                if let Some((id, slot, turn)) = self.claimed(pick) {
                    let fate = self.tasks.lost(slot, turn, loss, moment);
                    self.fate(id, Failure::Exit, &fate);
                }
            }
            21 | 22 => {
                let held = self.left.iter().nth(pick % self.left.len().max(1)).copied();
                if let Some((slot, turn)) = held {
                    self.left.remove(&(slot, turn));
                    match kind {
                        21 => assert!(self.tasks.released(slot, turn)),
                        _ => assert_eq!(self.tasks.lost(slot, turn, Loss::Started, moment), Fate::Settled),
                    }
                    assert!(!self.tasks.released(slot, turn), "once");
                }
            }
            23 | 24 => self.give_up_one(id),
            25 | 26 => self.reorder(1 + pick % 6),
            27 | 28 => self.tick(),
            29 if pick == 0 => {
                self.retries = false;
                self.tasks.end_retries().into_iter().for_each(|id| self.settled(id));
            }
            30 if pick == 0 => self.give_up_all(),
            31 if pick == 0 => self.restart(),
            // News of what never was.
            32 => {
                assert_eq!(self.tasks.ended(pick as u32, 1 << 40), None);
                assert_eq!(self.tasks.lost(9999, 1, Loss::Started, moment), Fate::Unknown);
            }
            _ => {}
        }
        self.agrees();
    }

    fn tick(&mut self) {
        self.tasks.tick(self.now);
        assert!(self.tasks.deadline().is_none_or(|at| at > self.now), "whoever waits for it would spin");
        for known in self.open.values_mut().filter(|known| known.at == At::Resting) {
            // Which of them come back is seen by who is published.
            known.at = At::Waiting;
        }
        // The two can be told apart by numbers alone; the rest comes back when its time has come.
        while let Some(at) = self.tasks.deadline() {
            self.now = at;
            self.tasks.tick(at);
        }
    }

    fn agrees(&mut self) {
        let count = |which: fn(&At) -> bool| self.open.values().filter(|known| which(&known.at)).count();
        assert_eq!(self.tasks.open(), self.open.len());
        assert_eq!(self.tasks.waiting(), count(|at| *at == At::Waiting));
        assert_eq!(self.tasks.resting(), count(|at| *at == At::Resting));
        assert_eq!(self.tasks.published_count(), count(|at| matches!(at, At::Published { .. })));
        assert_eq!(self.tasks.published_count(), self.tasks.published().len());
        assert_eq!(self.tasks.deadline().is_some(), self.tasks.resting() > 0, "who rests comes back");
        let (tickets, waiting) = (self.tasks.order.tickets(), self.tasks.waiting());
        assert!(tickets <= 2 * waiting + 130, "{tickets} tickets for {waiting} that wait");
    }

    /// Everybody does what he should.
    fn settles(&mut self) {
        for _ in 0..200 {
            while let Some((slot, turn)) = self.left.pop_first() {
                assert!(self.tasks.released(slot, turn));
            }
            self.tick();
            self.publish(usize::MAX);
            let published: Vec<_> = self.tasks.published();
            for (id, slot, turn) in published {
                assert_eq!(self.tasks.ended(slot, turn), Some(id));
                self.settled(id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(happenings in proptest::collection::vec((0u8..33, 0usize..40, 0u64..200), 1..250)) {
        let mut world = World::new();
        happenings.into_iter().for_each(|happening| world.happens(happening));
        world.settles();
        world.agrees();
        prop_assert!(world.open.is_empty(), "each settles: {:?}", world.open);
        // Every slot is free again.
        for id in 0..SLOTS as u32 {
            prop_assert!(world.tasks.submit(id, Plan::default()));
            prop_assert!(world.tasks.publish_next(usize::MAX).is_some());
        }
    }
}

#[test]
fn tasks_that_were_given_up_leave_nothing_behind_those_that_cannot_be_published() {
    let mut tasks = Tasks::new(1, 1, MAX_CRASHES);
    tasks.submit(0, Plan::default());
    tasks.publish_next(usize::MAX);
    for round in 0..10_000 {
        let priority = (round % 3) as i16;
        assert!(tasks.submit(1, Plan { priority, ..Plan::default() }));
        assert_eq!(tasks.cancel(1), Cancel::Dropped);
    }
    assert!(tasks.order.tickets() < 200, "{} tickets", tasks.order.tickets());
}
