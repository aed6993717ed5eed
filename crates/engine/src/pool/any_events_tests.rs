//! What holds for the workers of a farm whatever happens to it, in any order.

use super::replacement_tests::limits;
use super::workers::{Action, Cause, Event, Limits, Phase, Workers};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

/// What happens next: its kind, to whom, and how much time passes before it (ms).
type Happening = (u8, usize, u64);

struct World {
    workers: Workers,
    now: u64,
    open: usize,
    most: usize,
    closed: bool,
    /// Reloads that were asked for and not answered.
    reloading: bool,
    closing: bool,
    halted: bool,
}

impl World {
    fn new(min: usize, max: usize, spares: usize, cpus: usize) -> World {
        let limits = Limits { min, cpus, attempts: 2, ..limits(max, spares) };
        World {
            workers: Workers::new(limits),
            now: MS,
            open: 0,
            most: max,
            closed: false,
            reloading: false,
            closing: false,
            halted: false,
        }
    }

    fn phases(&self) -> Vec<Phase> {
        (0..self.workers.limits().indices).map(|worker| self.workers.phase(worker)).collect()
    }

    fn after(&mut self, event: Event) {
        let before = self.phases();
        match event {
            Event::Halt => self.halted = true,
            Event::Resume => self.halted = false,
            Event::Close { .. } | Event::Destroy => self.closing = true,
            _ => {}
        }
        let mut actions = Vec::new();
        self.workers.open_tasks(self.open);
        self.workers.handle(event, self.now, &mut actions);
        for action in actions {
            match action {
                Action::Spawn(worker) | Action::SpawnPaused(worker) => {
                    let free =
                        event == Event::Drained(worker) || before.get(worker).is_none_or(|phase| *phase == Phase::Free);
                    assert!(free && !self.closing && !self.halted, "{event:?} starts {worker}");
                }
                Action::Retire(worker, _)
                | Action::Unpause(worker)
                | Action::Examine(worker)
                | Action::Cancel { worker, .. } => {
                    assert!(!matches!(before[worker], Phase::Free | Phase::Gone), "{event:?}: {action:?}");
                }
                Action::Terminate(worker, _) | Action::Kill(worker, _) => {
                    assert!(!matches!(before[worker], Phase::Free | Phase::Gone), "{event:?}: {action:?}");
                }
                Action::Reloaded { .. } => self.reloading = false,
                Action::Closed => assert!(!std::mem::replace(&mut self.closed, true), "closed twice"),
            }
        }
        assert!(self.workers.present() <= self.most, "{} present after {event:?}", self.workers.present());
    }

    fn tick(&mut self) {
        self.after(Event::Tick);
        let next = self.workers.deadline();
        assert!(next.is_none_or(|at| at > self.now), "a deadline that is over stays: the supervisor would spin");
    }

    /// One of the workers in these phases.
    fn one_of(&self, pick: usize, phases: &[Phase]) -> Option<usize> {
        let those: Vec<usize> =
            (0..self.phases().len()).filter(|worker| phases.contains(&self.workers.phase(*worker))).collect();
        (!those.is_empty()).then(|| those[pick % those.len()])
    }

    fn happens(&mut self, (kind, pick, wait): Happening) {
        use Phase::*;
        self.now += wait * MS;
        let to = |phases: &[Phase]| self.one_of(pick, phases);
        let turn = pick as u64;
        let event = match kind {
            0 | 1 => {
                self.open = pick;
                Some(Event::Demand(pick))
            }
            2..=5 => to(&[Starting]).map(Event::Online),
            6 => to(&[Starting]).map(Event::StartFailed),
            7..=9 => to(&[Online, Retiring, Dying]).map(Event::Exited),
            10..=12 => to(&[Gone]).map(Event::Drained),
            13 => to(&[Online]).map(|worker| Event::Idle { worker, since: 0 }),
            14 => to(&[Online]).map(Event::Worn),
            15 => {
                self.reloading = true;
                Some(Event::Reload)
            }
            16 => to(&[Online]).map(Event::Fruitless),
            17 => to(&[Online, Retiring]).map(Event::Unreachable),
            18 => to(&[Starting, Online]).map(Event::Breached),
            19 => to(&[Online, Starting]).map(|worker| Event::Revoked { worker, turn, cause: Cause::Cancel }),
            20 => to(&[Online, Retiring]).map(|worker| Event::Acknowledged { worker, turn }),
            21 => to(&[Online, Retiring]).map(|worker| Event::Wedged { worker, cause: Cause::Stalled }),
            22 => {
                let max = pick % 5 + 1;
                self.most = self.most.max(max);
                self.after(Event::Resize { min: 0, max, indices: 2 * max + 2 });
                (0..self.phases().len()).for_each(|worker| self.after(Event::Surplus(worker)));
                None
            }
            23 => to(&[Online]).map(Event::Surplus),
            24 => to(&[Retiring]).map(Event::LetGo),
            25 => to(&[Starting]).map(Event::StartKilled),
            26 => to(&[Starting]).map(Event::Runs),
            // What a worker says of itself, whenever it likes.
            27 => to(&[Starting, Online, Retiring, Dying]).map(Event::Online),
            28 => to(&[Starting, Online, Retiring, Dying]).map(Event::StartFailed),
            29 => Some(Event::Revoked { worker: 1000 + pick, turn, cause: Cause::Cancel }),
            30 if !self.halted => Some(Event::Halt),
            31 if self.halted && self.workers.alive() == 0 => Some(Event::Resume),
            32 if pick == 0 && !self.closing => Some(Event::Close { by: self.now + 50 * MS }),
            33 if pick == 0 => Some(Event::Destroy),
            34 => to(&[Starting, Online, Retiring, Dying]).map(|worker| Event::Examined {
                worker,
                cpu: turn * MS,
                runnable: pick % 2 == 0,
            }),
            _ => None,
        };
        if let Some(event) = event {
            self.after(event);
        }
        self.tick();
        self.nobody_is_forgotten();
    }

    /// Tasks wait for a worker that is there, on its way, or about to be started.
    fn nobody_is_forgotten(&self) {
        let (phases, alone) = (self.phases(), self.workers.present() == 0);
        let comes_back = phases.iter().any(|phase| matches!(phase, Phase::Dying | Phase::Gone));
        let waits = self.workers.wants() > 0 && alone && !self.closing && !self.halted;
        assert!(!waits || comes_back || self.workers.deadline().is_some(), "nobody is started: {phases:?}");
    }

    /// Everybody who is told to does what he should.
    fn settles(&mut self) {
        for _ in 0..60 {
            self.now += 250 * MS;
            let happening: Vec<Event> = (0..self.phases().len())
                .filter_map(|worker| match self.workers.phase(worker) {
                    Phase::Starting => Some(Event::Online(worker)),
                    Phase::Retiring | Phase::Dying => Some(Event::Exited(worker)),
                    Phase::Gone => Some(Event::Drained(worker)),
                    _ => None,
                })
                .collect();
            happening.into_iter().for_each(|event| self.after(event));
            if self.halted && self.workers.alive() == 0 {
                self.after(Event::Resume);
            }
            self.tick();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(
        (min, max, spares, cpus) in (0usize..2, 2usize..6, 0usize..4, 1usize..4),
        happenings in proptest::collection::vec((0u8..35, 0usize..8, 0u64..40), 1..120)
    ) {
        let mut world = World::new(min, max, spares, cpus);
        happenings.into_iter().for_each(|happening| world.happens(happening));
        world.settles();
        prop_assert!(!world.reloading, "a reload comes to its end");
        if !world.closing {
            let (present, limits) = (world.workers.present(), world.workers.limits().clone());
            prop_assert!(present <= limits.max && present >= limits.min.min(limits.max), "{present} of {limits:?}");
            world.after(Event::Demand(limits.max));
            world.settles();
            prop_assert_eq!(world.workers.online(), limits.max, "all that are asked for come");
            let spares = (0..limits.indices).filter(|worker| world.workers.is_paused(*worker)).count();
            prop_assert_eq!(spares, limits.spares);
            world.after(Event::Close { by: world.now + 1000 * MS });
        }
        world.settles();
        prop_assert!(world.closed);
    }
}
