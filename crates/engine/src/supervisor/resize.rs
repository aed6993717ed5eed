//! Another number of workers while the farm runs.

use super::farm_state::{FarmState, Hands};
use crate::pool::workers::{Event, Phase};
use crate::settings::indices;
use std::sync::atomic::Ordering::*;

impl FarmState {
    pub fn resize(&mut self, min: usize, max: usize, hands: &Hands) {
        let wanted = indices(max, self.shared.settings.spares);
        // Where a doorbell cannot be made there are as many indices as there are bells.
        let indices = self.shared.make_bells(wanted);
        self.line.queue.queue.admit(indices);
        if indices > self.workers.len() {
            self.workers.resize_with(indices, || None);
        }
        self.handle(Event::Resize { min, max, indices }, hands);
        let mut surplus: Vec<(bool, usize)> = self
            .each_alive()
            .map(|(index, worker)| (worker.shared.own.idle_since().load(Relaxed) == 0, usize::from(index)))
            .filter(|(_, index)| self.pool.phase(*index) == Phase::Online)
            .collect();
        // Those that rest go first.
        surplus.sort_unstable();
        for (_, worker) in surplus {
            self.handle(Event::Surplus(worker), hands);
        }
    }
}
