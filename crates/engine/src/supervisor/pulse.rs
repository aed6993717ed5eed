//! The pulse of a worker: it stops when the process begins to end, milliseconds before the system tells of its exit. A spare
//! need not wait for that.

use super::farm_state::{token, FarmState, Hands, Watched};
use crate::pool::workers::Event;
use farm_sys::Fd;

impl FarmState {
    /// A worker has sent its pulse.
    pub(super) fn feel(&mut self, index: usize, pulse: Option<Fd>, hands: &Hands) {
        let (Some(worker), Some(pulse)) = (&mut self.workers[index], pulse) else { return };
        // One that cannot be watched says nothing; the exit does.
        if worker.pulse.is_none() && hands.poller.add(&pulse, token(self.shared.id, index, Watched::Pulse)).is_ok() {
            worker.pulse = Some(pulse);
        }
    }

    /// The pulse of a worker has stopped: it takes no more tasks, and its exit follows.
    pub fn pulse_stopped(&mut self, index: usize, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        let Some(pulse) = worker.pulse.take() else { return };
        hands.poller.remove(&pulse);
        self.begins_to_end(index, hands);
    }

    /// Its pulse has stopped or its line is closed; whichever thread is the last to end, one of the two comes before the
    /// exit. Nothing but that does it, unless the worker means to deceive: then this is its end.
    pub(super) fn begins_to_end(&mut self, index: usize, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        worker.hang_up();
        if self.shared.settings.spares > 0 {
            worker.ending = true;
            self.handle(Event::Unreachable(index), hands);
        }
    }
}
