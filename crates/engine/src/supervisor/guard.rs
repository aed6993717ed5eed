//! When this process has a guard (`guard_process`): from the first worker of a farm that wants one until the last such farm
//! is closed. The spawner lists each worker's group and starts the guard, the supervisor takes groups out and sees to the
//! guard's end.

use super::guard_process::Started;
use super::spawner::Order;
use crossbeam::channel::Sender;
use farm_sys::{Child, Poller, Result};

/// The poller's token of a guard.
pub const GUARD: u64 = u64::MAX - 1;

/// A guard that ends sooner than this (ns) after its start has not worked.
const SHORT: u64 = 1_000_000_000;
/// Guards in a row that did not work; then none is started before the next worker is.
const ATTEMPTS: u32 = 5;
/// Where the system does not tell of a guard's end, it is looked for at this interval.
const END_POLL: u64 = 20_000_000;
const SIGKILL: i32 = 9;

#[derive(Default)]
enum State {
    #[default]
    None,
    Ordered,
    Running {
        guard: Started,
        since: u64,
    },
}

/// The guard as the supervisor sees it.
#[derive(Default)]
pub struct Guard {
    state: State,
    program: String,
    /// Killed and not yet reaped.
    ending: Vec<Child>,
    /// Short-lived ones in a row.
    failures: u32,
}

impl Guard {
    /// A worker whose group is listed has been started.
    pub fn want(&mut self, program: &str, spawner: &Sender<Order>) {
        if matches!(self.state, State::None) {
            program.clone_into(&mut self.program);
            self.order(spawner);
        }
    }

    fn order(&mut self, spawner: &Sender<Order>) {
        let sent = spawner.send(Order::Guard { program: self.program.clone() });
        self.state = if sent.is_ok() { State::Ordered } else { State::None };
    }

    /// What to tell when there is no guard now.
    pub fn started(&mut self, started: Result<Started>, now: u64, poller: &Poller) -> Option<String> {
        match started {
            Ok(guard) => {
                if let Some(fd) = guard.child.exit_fd() {
                    let _ = poller.add(fd, GUARD);
                }
                self.state = State::Running { guard, since: now };
                None
            }
            Err(error) => {
                // The next worker's start is the next attempt.
                self.state = State::None;
                Some(format!("{} could not be started: {error}", self.program))
            }
        }
    }

    /// One of our guards may have ended. What to tell when no other takes its place.
    pub fn check(&mut self, now: u64, poller: &Poller, spawner: &Sender<Order>) -> Option<String> {
        self.reap(poller);
        let State::Running { guard, since } = &self.state else { return None };
        if !guard.child.has_ended() {
            return None;
        }
        self.failures = if now.saturating_sub(*since) < SHORT { self.failures + 1 } else { 0 };
        let State::Running { guard, .. } = std::mem::take(&mut self.state) else { return None };
        forget(&guard.child, poller);
        if self.failures < ATTEMPTS {
            self.order(spawner);
            return None;
        }
        Some(format!("{} ended {} times in a row as soon as it was started", self.program, self.failures))
    }

    /// No farm is left that wants it.
    pub fn stop(&mut self) {
        if let State::Running { .. } = &self.state {
            let State::Running { guard, .. } = std::mem::take(&mut self.state) else { return };
            // The table is empty, so it would only end; killed, it does so when it is stopped too.
            let _ = guard.child.signal(SIGKILL);
            self.ending.push(guard.child);
            self.failures = 0;
        }
    }

    /// Those that run or have not been reaped.
    pub fn into_children(self) -> Vec<Child> {
        let running = match self.state {
            State::Running { guard, .. } => Some(guard.child),
            _ => None,
        };
        running.into_iter().chain(self.ending).collect()
    }

    /// When to `check` again without a report that something has ended.
    pub fn next_look(&self, now: u64) -> u64 {
        let running = match &self.state {
            State::Running { guard, .. } => Some(&guard.child),
            _ => None,
        };
        let unreported = running.into_iter().chain(&self.ending).any(|child| child.exit_fd().is_none());
        if unreported {
            now + END_POLL
        } else {
            u64::MAX
        }
    }

    fn reap(&mut self, poller: &Poller) {
        self.ending.retain(|child| {
            let alive = !child.has_ended();
            if !alive {
                forget(child, poller);
            }
            alive
        });
    }
}

fn forget(child: &Child, poller: &Poller) {
    if let Some(fd) = child.exit_fd() {
        poller.remove(fd);
    }
    child.reap();
}
