//! What becomes of farms when the supervisor itself has a fault: those that it may have harmed end at once, their callers are
//! told, their workers die. The thread goes on, with the other farms and for new ones.

use super::command::Command;
use super::event_loop::{EventLoop, BELL};
use super::farm_state::FarmState;
use super::panic::words;
use super::remains::Remains;
use super::worker::reap;
use crate::shared::FarmEvent;
use farm_sys::{Child, Doorbell, Poller};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

const SIGKILL: i32 = 9;
/// Between two looks at children that were killed.
const BURY_POLL: Duration = Duration::from_millis(1);

impl EventLoop {
    /// One turn; a panic in it ends the farm that it was about.
    pub(super) fn turn_or_fail(&mut self, ready: &[u64]) -> u64 {
        catch_unwind(AssertUnwindSafe(|| self.turn(ready))).unwrap_or_else(|panic| {
            let message = words(panic.as_ref());
            match self.busy_with.take() {
                Some(farm) => self.fail(farm, &message),
                None => self.fail_all(&message),
            }
            // What else came in is still there.
            0
        })
    }

    fn fail(&mut self, farm: u32, message: &str) {
        let Some(mut farm) = self.farms.remove(&farm) else { return };
        // First: whatever goes wrong from here on, its callers know.
        farm.shared.post(FarmEvent::Failed { message: message.into() });
        let children = catch_unwind(AssertUnwindSafe(|| farm.abandon(&self.poller)));
        bury(children.unwrap_or_default(), farm.shared.settings.guard.is_some(), &self.bell);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(farm)));
    }

    /// A fault beyond any single farm: nothing of what there was is kept.
    pub(super) fn fail_all(&mut self, message: &str) {
        for farm in self.farms.keys().copied().collect::<Vec<_>>() {
            self.fail(farm, message);
        }
        self.remains = Remains::default();
        // Whatever its workers have started, it ends, and then itself.
        bury(std::mem::take(&mut self.guard).into_children(), false, &self.bell);
    }

    /// The poller cannot be used any more: somebody may have closed its descriptor. False when nobody is left to serve.
    pub(super) fn renew_poller(&mut self) -> bool {
        loop {
            let renewed = Poller::new().and_then(|poller| {
                poller.add(self.bell.fd(), BELL)?;
                Ok(poller)
            });
            let error = match renewed {
                Ok(poller) => {
                    self.poller = poller;
                    return true;
                }
                Err(error) => error,
            };
            // Until there is one again every new farm is told.
            match self.commands.recv() {
                Ok(Command::Open { shared, .. }) => shared.post(FarmEvent::Failed { message: error.to_string() }),
                Ok(Command::Spawned { child: Ok(child), .. }) => self.bury_stray(child),
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// It was on its way when its farm failed.
    pub(super) fn bury_stray(&self, child: Child) {
        let _ = child.signal(SIGKILL);
        bury(vec![child], super::guard_process::has_groups(), &self.bell);
    }
}

impl FarmState {
    /// Its workers are killed, and nothing of them is watched any more.
    fn abandon(&mut self, poller: &Poller) -> Vec<Child> {
        let mut children = Vec::new();
        for (index, worker) in self.workers.iter_mut().enumerate() {
            let Some(worker) = worker else { continue };
            if let Some(child) = worker.child.take() {
                let _ = child.signal(SIGKILL);
                child.exit_fd().into_iter().for_each(|fd| poller.remove(fd));
                children.push(child);
            }
            poller.remove(worker.line.fd());
            worker.pulse.iter().for_each(|pulse| poller.remove(pulse));
            if worker.forked.is_some() {
                poller.remove(self.shared.bell(index).fd());
            }
        }
        children
    }
}

/// Reaps children that were killed. On a thread of its own, since some take long to end.
fn bury(children: Vec<Child>, guarded: bool, bell: &Arc<Doorbell>) {
    let bell = bell.clone();
    let act = move || {
        for child in children {
            while !child.has_ended() {
                std::thread::sleep(BURY_POLL);
            }
            reap(&child, guarded);
        }
        // What they leave is looked after in the supervisor's turns.
        bell.ring();
    };
    // Where there is no thread to be had they stay as they are until this process ends.
    let _ = std::thread::Builder::new().name("farm-failed".into()).spawn(act);
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
