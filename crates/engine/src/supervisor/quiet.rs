//! Gives back to the system what arenas keep for the next blocks, when there were none for a while. Whoever owns the blocks
//! of an arena lets go of the free ones: a worker on a thread beside its code, the JavaScript thread at the ring of its bell.
//! A farm that has nothing to give back is not looked at.

use super::farm_state::{FarmState, Hands};
use super::spawner::Order;
use crate::pool::quiet::Look;
use crate::shared::FarmEvent;
use farm_sys::monotonic_ns;
use farm_transport::frame::hint;
use farm_transport::Cooling;
use std::sync::atomic::Ordering::*;

/// An arena without a block that comes back for so long (ns), and up to twice as long, is quiet. Fresh pages cost five times
/// what touched ones do, so those who send something large every second should find them.
const QUIET: u64 = 5_000_000_000;

impl FarmState {
    /// Blocks came back to an arena.
    pub fn kept(&mut self) {
        self.next_quiet = self.next_quiet.min(monotonic_ns() + QUIET);
    }

    /// Returns when to come again.
    pub(super) fn cool_quiet(&mut self, now: u64, hands: &Hands) -> u64 {
        if now < self.next_quiet {
            return self.next_quiet;
        }
        // Before the counts: what comes back later is told anew, and what was not is seen by the next look, which there is
        // as long as there was anything.
        let mut again = self.shared.kept.swap(false, AcqRel);
        let returns = &self.shared.returns;
        let mut tell = false;
        match self.quiet.look(returns.so_far(), false) {
            Look::Busy => again = true,
            Look::Cool => (again, tell) = (true, true),
            Look::Cold => {}
        }
        for worker in self.workers.iter_mut().flatten() {
            let returns = &worker.shared.returns;
            let waiting = returns.waiting.load(Relaxed);
            let look = worker.quiet.look(returns.so_far(), waiting);
            again |= look != Look::Cold;
            if look == Look::Cool {
                tell |= waiting;
                match &worker.forked {
                    // One that takes nothing from its line has other troubles.
                    None => drop(worker.line.send(hint::QUIET, &[])),
                    Some(forked) => {
                        let stock = forked.stock();
                        if let Some(cooling) = stock.lend() {
                            let done = Box::new(move |cooling| stock.cooled(cooling));
                            let _ = hands.spawner.send(Order::Cool { cooling, done });
                        }
                    }
                }
            }
        }
        if tell {
            self.shared.post(FarmEvent::Quiet);
        }
        self.next_quiet = if again { now + QUIET } else { u64::MAX };
        self.next_quiet
    }

    /// Free blocks of the request arena, or memory that is in no arena's books any more.
    pub fn cool(&self, cooling: Cooling, hands: &Hands) {
        let shared = self.shared.clone();
        let done = Box::new(move |cooling: Cooling| {
            if cooling.is_lent() {
                shared.post(FarmEvent::Cooled(cooling));
            }
        });
        let _ = hands.spawner.send(Order::Cool { cooling, done });
    }
}
