//! Spares: workers that are ready and take no task until another one is lost or is to be replaced.

use super::events::Action;
use super::ladder::{Phase, Worker};
use super::{Leave, Workers, PRESENT};

impl Workers {
    /// Puts a spare to work. `starting`: also one that is not online yet.
    pub(super) fn take_spare(&mut self, starting: bool, actions: &mut Vec<Action>) -> Option<usize> {
        let fresh = |worker: &Worker, phase| worker.paused && worker.phase == phase && !self.is_stale(worker);
        let online = self.workers.iter().position(|worker| fresh(worker, Phase::Online));
        // The one that has started first is there first.
        let soon = || (0..self.workers.len()).filter(|index| starting && fresh(&self.workers[*index], Phase::Starting));
        let spare = online.or_else(|| soon().min_by_key(|index| self.workers[*index].started))?;
        self.workers[spare].paused = false;
        actions.push(Action::Unpause(spare));
        Some(spare)
    }

    /// Only beside workers that take tasks: an idle farm has none. And no more at once than there are CPUs, workers that
    /// tasks wait for included: a start computes, so the others would only keep those from coming.
    pub(super) fn wants_spares(&self) -> bool {
        let there = self.count(|worker| worker.paused && worker.is(&PRESENT));
        let starting = self.count(|worker| worker.phase == Phase::Starting);
        self.may_grow() && self.online() > 0 && there < self.limits.spares && starting < self.limits.cpus
    }

    pub(super) fn start_spares(&mut self, now: u64, actions: &mut Vec<Action>) {
        while self.wants_spares() && self.spawn(now, true, None, actions) {}
    }

    /// Spares that are out of date, or of a farm in which nobody takes tasks any more.
    pub(super) fn drop_spares(&mut self, actions: &mut Vec<Action>) {
        let nobody = self.present() == 0 && self.wanted() == 0;
        for worker in 0..self.workers.len() {
            let spare = self.workers[worker];
            if spare.paused && spare.phase == Phase::Online && (nobody || self.is_stale(&spare)) {
                self.leave(worker, Leave::Spare, actions);
            }
        }
    }
}
