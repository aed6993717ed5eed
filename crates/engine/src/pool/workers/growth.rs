//! How many workers there are to be, and who is started for that: for tasks, in the place of others, as spares.

use super::events::Action;
use super::ladder::{Phase, Worker};
use super::Workers;

impl Workers {
    pub(super) fn wanted(&self) -> usize {
        self.demand.max(self.limits.min).min(self.limits.max)
    }

    pub(super) fn may_grow(&self) -> bool {
        self.closing.is_none() && !self.halted
    }

    pub(super) fn wants_more(&self) -> bool {
        self.may_grow() && self.present() < self.wanted()
    }

    pub(super) fn wants_replacements(&self) -> bool {
        self.may_grow() && self.may_replace_more() && self.to_replace().is_some()
    }

    /// A worker that is to be replaced and that nobody is started for.
    pub(super) fn to_replace(&self) -> Option<usize> {
        let takes = |worker: &Worker| worker.phase == Phase::Online && !worker.paused && self.is_stale(worker);
        (0..self.workers.len()).find(|index| {
            takes(&self.workers[*index]) && !self.workers.iter().any(|worker| worker.replaces == Some(*index))
        })
    }

    /// After a failure those that are starting are waited for: what fails always would else be tried without end. And one
    /// that was killed in its start is about to be such a failure.
    pub(super) fn waits_for_others(&self) -> bool {
        let starting = self.breaker.has_failed() && self.count(|worker| worker.phase == Phase::Starting) > 0;
        starting || self.count(|worker| worker.failing && worker.phase == Phase::Dying) > 0
    }

    /// Brings the farm to the number of workers it wants.
    pub(super) fn grow(&mut self, now: u64, actions: &mut Vec<Action>) {
        if !self.may_grow() {
            return;
        }
        while self.wants_more() && self.take_spare(true, actions).is_some() {}
        while let Some(old) = self.to_replace() {
            if self.take_spare(false, actions).is_none() {
                break;
            }
            self.give_way(old, actions);
        }
        let gate = now >= self.breaker.not_before() && !self.waits_for_others();
        if gate {
            self.start_wanted(now, actions);
            self.start_replacements(now, actions);
        }
        self.drop_spares(actions);
        if gate {
            self.start_spares(now, actions);
        }
    }

    pub(super) fn spawn(&mut self, now: u64, paused: bool, replaces: Option<usize>, actions: &mut Vec<Action>) -> bool {
        // Those that leave count too, up to the indices there are.
        let Some(worker) = self.workers.iter().position(|worker| worker.phase == Phase::Free) else { return false };
        self.workers[worker] = Worker {
            phase: Phase::Starting,
            until: now.saturating_add(self.limits.start),
            started: now,
            paused,
            replaces,
            generation: self.generation,
            ..Worker::FREE
        };
        actions.push(if paused { Action::SpawnPaused(worker) } else { Action::Spawn(worker) });
        true
    }

    pub(super) fn start_wanted(&mut self, now: u64, actions: &mut Vec<Action>) {
        let open = self.breaker.is_open();
        while self.wants_more() && self.spawn(now, false, None, actions) {
            if open {
                return;
            }
        }
    }

    /// A quarter of the workers at a time, so that there are never many more than `max`.
    pub(super) fn may_replace_more(&self) -> bool {
        self.count(|worker| worker.replaces.is_some()) < (self.limits.max / 4).max(1)
    }

    pub(super) fn start_replacements(&mut self, now: u64, actions: &mut Vec<Action>) {
        while self.may_replace_more() {
            let Some(old) = self.to_replace() else { return };
            if !self.spawn(now, false, Some(old), actions) {
                return;
            }
        }
    }
}
