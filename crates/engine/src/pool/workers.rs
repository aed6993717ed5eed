//! How many workers there are and what happens to each: start, idle, cancel, kill ladder, closing. Owned by the
//! supervisor. Events in, actions out; all times are nanoseconds given by the caller.

pub use super::cause::Cause;

/// A worker that runs synchronous code cannot acknowledge a cancel; one that does not within this time never will. Longer
/// than a process waits for a CPU on a busy machine: the task is rejected already, only its worker lives on for so long.
const ACK_WITHIN: u64 = 10_000_000;
/// Between SIGTERM and SIGKILL.
const TERM_GRACE: u64 = 1_000_000_000;
/// After a failed start the next one waits this long, twice as long after each further failure, up to the longest wait.
const BACK_OFF: u64 = 100_000_000;
const LONGEST_BACK_OFF: u64 = 5_000_000_000;

#[derive(Debug, Clone)]
pub struct Limits {
    pub min: usize,
    pub max: usize,
    /// Indices there are; more than `max`, so that a replacement starts before an old index is free again.
    pub indices: usize,
    /// `None`: idle workers stay.
    pub idle: Option<u64>,
    pub start: u64,
    pub grace: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody uses the index.
    Free,
    Starting,
    Online,
    Retiring,
    /// Told to die by signal; waiting for its exit.
    Dying,
    /// Reaped; the JavaScript thread has not drained what it left.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    None,
    /// The cancel is mailed; the worker's loop should acknowledge.
    Mailed {
        turn: u64,
    },
    /// It did; its code gets time.
    Acknowledged {
        turn: u64,
    },
    /// It was let go, and leaves by itself or is made to.
    Leaving,
    /// Nobody can talk to it any more; it is about to end or never will.
    Unreachable,
    /// SIGTERM is sent.
    Terminated,
}

#[derive(Debug, Clone, Copy)]
struct Worker {
    phase: Phase,
    rung: Rung,
    /// When the present phase or rung ends, or `u64::MAX`.
    until: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// So many tasks wait or run.
    Demand(usize),
    /// It works.
    Online(usize),
    /// It is taken to be online, which its first answer will show.
    Runs(usize),
    /// Its module could not be loaded; it exits by itself or is made to.
    StartFailed(usize),
    /// A retiring worker that cannot say bye has finished.
    LetGo(usize),
    /// The end of the channel through which a worker is served.
    Unreachable(usize),
    /// It went over one of its limits.
    Breached(usize),
    Exited {
        worker: usize,
    },
    /// The index may be used again.
    Drained(usize),
    /// A task of this worker was revoked.
    Revoked {
        worker: usize,
        turn: u64,
    },
    Acknowledged {
        worker: usize,
        turn: u64,
    },
    /// The revoked task has been let go.
    Released {
        worker: usize,
        turn: u64,
    },
    /// It does not go on by itself.
    Wedged {
        worker: usize,
        cause: Cause,
    },
    /// Asleep with nothing to do since then.
    Idle {
        worker: usize,
        since: u64,
    },
    /// Workers leave when they have finished; at `by` they are killed.
    Close {
        by: u64,
    },
    Destroy,
    /// The shared memory cannot be trusted any more: all workers die, none starts until `Resume`.
    Halt,
    Resume,
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Spawn(usize),
    Retire(usize),
    Cancel {
        worker: usize,
        turn: u64,
    },
    Terminate(usize, Cause),
    Kill(usize, Cause),
    /// The last worker of a closed farm is gone.
    Closed,
}

pub struct Workers {
    limits: Limits,
    workers: Vec<Worker>,
    demand: usize,
    /// Failed starts since a worker came online, and when the next start may be tried.
    failures: u32,
    next_start: u64,
    /// `Some(by)`: closing.
    closing: Option<u64>,
    closed: bool,
    halted: bool,
}

impl Workers {
    pub fn new(limits: Limits) -> Self {
        let worker = Worker { phase: Phase::Free, rung: Rung::None, until: u64::MAX };
        Workers {
            workers: vec![worker; limits.indices],
            limits,
            demand: 0,
            failures: 0,
            next_start: 0,
            closing: None,
            closed: false,
            halted: false,
        }
    }

    pub fn phase(&self, worker: usize) -> Phase {
        self.workers.get(worker).map_or(Phase::Free, |worker| worker.phase)
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn count(&self, phases: &[Phase]) -> usize {
        self.workers.iter().filter(|worker| phases.contains(&worker.phase)).count()
    }

    /// Workers that take tasks now or soon.
    pub fn present(&self) -> usize {
        self.count(&[Phase::Starting, Phase::Online])
    }

    /// Workers that have joined and may claim.
    pub fn online(&self) -> usize {
        self.count(&[Phase::Online])
    }

    pub fn alive(&self) -> usize {
        self.count(&[Phase::Starting, Phase::Online, Phase::Retiring, Phase::Dying])
    }

    /// The worker whose cancel waits for an acknowledgement or for its code to let go, and the turn of it.
    pub fn cancels(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.workers.iter().enumerate().filter_map(|(index, worker)| match worker.rung {
            Rung::Mailed { turn } | Rung::Acknowledged { turn } => Some((index, turn)),
            _ => None,
        })
    }

    /// True when idle workers are worth looking at.
    pub fn may_shrink(&self) -> bool {
        self.limits.idle.is_some() && self.closing.is_none() && self.present() > self.limits.min
    }

    /// When `Tick` is due, if ever.
    pub fn deadline(&self) -> Option<u64> {
        let own = self.workers.iter().map(|worker| worker.until).min().unwrap_or(u64::MAX);
        let close = if self.closed { u64::MAX } else { self.closing.unwrap_or(u64::MAX) };
        let waits = self.failures > 0 && self.wants_more() && self.count(&[Phase::Starting]) == 0;
        let start = if waits && self.count(&[Phase::Free]) > 0 { self.next_start } else { u64::MAX };
        Some(own.min(close).min(start)).filter(|at| *at != u64::MAX)
    }

    pub fn handle(&mut self, event: Event, now: u64, actions: &mut Vec<Action>) {
        match event {
            Event::Demand(tasks) => {
                self.demand = tasks;
                if self.present() == 0 {
                    // Somebody asks and nobody else can serve: this is tried at once, whatever failed before.
                    self.next_start = now;
                }
                self.grow(now, actions);
            }
            Event::Runs(worker) => {
                self.enter(worker, &[Phase::Starting], Phase::Online, u64::MAX);
                self.grow(now, actions);
            }
            Event::Online(worker) => {
                self.enter(worker, &[Phase::Starting], Phase::Online, u64::MAX);
                self.failures = 0;
                self.next_start = 0;
                self.grow(now, actions);
            }
            Event::StartFailed(worker) => {
                self.enter(worker, &[Phase::Starting], Phase::Dying, now + TERM_GRACE);
                let wait = BACK_OFF.saturating_mul(1 << self.failures.min(20)).min(LONGEST_BACK_OFF);
                self.failures += 1;
                self.next_start = now.saturating_add(wait);
                if self.present() == 0 {
                    // The tasks are rejected now; for new ones somebody asks again.
                    self.demand = 0;
                }
            }
            Event::LetGo(worker) => {
                if self.phase(worker) == Phase::Retiring {
                    self.climb(worker, Rung::Leaving, now.saturating_add(self.limits.grace));
                }
            }
            Event::Unreachable(worker) => {
                if self.phase(worker) == Phase::Online {
                    self.workers[worker].phase = Phase::Dying;
                    self.climb(worker, Rung::Unreachable, now + TERM_GRACE);
                }
            }
            Event::Breached(worker) => {
                let phase = self.phase(worker);
                if !matches!(phase, Phase::Free | Phase::Gone) {
                    self.kill(worker, Cause::Limit, actions);
                }
                // Another that starts would go over it as well; its exit is a failed start.
                if phase != Phase::Starting {
                    self.grow(now, actions);
                }
            }
            Event::Exited { worker } => {
                self.workers[worker] = Worker { phase: Phase::Gone, rung: Rung::None, until: u64::MAX };
                self.grow(now, actions);
                self.finish_closing(actions);
            }
            Event::Drained(worker) => {
                self.enter(worker, &[Phase::Gone], Phase::Free, u64::MAX);
                self.grow(now, actions);
            }
            Event::Revoked { worker, turn } => {
                if matches!(self.phase(worker), Phase::Online | Phase::Retiring) {
                    actions.push(Action::Cancel { worker, turn });
                    if self.workers[worker].rung == Rung::None {
                        self.climb(worker, Rung::Mailed { turn }, now + ACK_WITHIN);
                    }
                }
            }
            Event::Acknowledged { worker, turn } => {
                if self.workers[worker].rung == (Rung::Mailed { turn }) {
                    self.climb(worker, Rung::Acknowledged { turn }, now.saturating_add(self.limits.grace));
                }
            }
            Event::Released { worker, turn } => {
                if matches!(self.workers[worker].rung, Rung::Mailed { turn: t } | Rung::Acknowledged { turn: t } if t == turn)
                {
                    self.climb(worker, Rung::None, u64::MAX);
                }
            }
            Event::Wedged { worker, cause } => {
                if matches!(self.phase(worker), Phase::Online | Phase::Retiring) {
                    self.kill(worker, cause, actions);
                    self.grow(now, actions);
                }
            }
            Event::Idle { worker, since } => {
                let idle = self.limits.idle.is_some_and(|idle| now.saturating_sub(since) >= idle);
                if idle && self.phase(worker) == Phase::Online && self.present() > self.limits.min {
                    self.retire(worker, u64::MAX, actions);
                    // Nobody is to be started in its place.
                    self.demand = self.demand.min(self.present());
                }
            }
            Event::Close { by } => {
                self.closing = Some(by);
                self.demand = 0;
                for worker in 0..self.workers.len() {
                    match self.phase(worker) {
                        Phase::Online => self.retire(worker, u64::MAX, actions),
                        Phase::Starting => self.kill(worker, Cause::Close, actions),
                        _ => {}
                    }
                }
                self.finish_closing(actions);
            }
            Event::Destroy => {
                self.closing = Some(u64::MAX);
                self.demand = 0;
                self.kill_all(Cause::Destroy, actions);
                self.finish_closing(actions);
            }
            Event::Halt => {
                self.halted = true;
                self.kill_all(Cause::Poison, actions);
            }
            Event::Resume => {
                self.halted = false;
                self.grow(now, actions);
            }
            Event::Tick => self.tick(now, actions),
        }
    }

    fn enter(&mut self, worker: usize, from: &[Phase], to: Phase, until: u64) {
        let worker = &mut self.workers[worker];
        if from.contains(&worker.phase) {
            *worker = Worker { phase: to, rung: Rung::None, until };
        }
    }

    fn climb(&mut self, worker: usize, rung: Rung, until: u64) {
        self.workers[worker].rung = rung;
        self.workers[worker].until = until;
    }

    fn wanted(&self) -> usize {
        self.demand.max(self.limits.min).min(self.limits.max)
    }

    fn wants_more(&self) -> bool {
        self.closing.is_none() && !self.halted && self.present() < self.wanted()
    }

    fn grow(&mut self, now: u64, actions: &mut Vec<Action>) {
        if !self.wants_more() {
            return;
        }
        // After a failure those that are starting are waited for: what fails always would else be tried without end.
        if self.failures > 0 && (now < self.next_start || self.count(&[Phase::Starting]) > 0) {
            return;
        }
        for _ in self.present()..self.wanted() {
            // Those that leave count too, up to the indices there are.
            let Some(worker) = self.workers.iter().position(|worker| worker.phase == Phase::Free) else { return };
            self.workers[worker] =
                Worker { phase: Phase::Starting, rung: Rung::None, until: now.saturating_add(self.limits.start) };
            actions.push(Action::Spawn(worker));
        }
    }

    fn retire(&mut self, worker: usize, until: u64, actions: &mut Vec<Action>) {
        self.workers[worker].phase = Phase::Retiring;
        if self.workers[worker].rung == Rung::None {
            self.workers[worker].until = until;
        }
        actions.push(Action::Retire(worker));
    }

    fn kill(&mut self, worker: usize, cause: Cause, actions: &mut Vec<Action>) {
        self.workers[worker] = Worker { phase: Phase::Dying, rung: Rung::None, until: u64::MAX };
        actions.push(Action::Kill(worker, cause));
    }

    fn kill_all(&mut self, cause: Cause, actions: &mut Vec<Action>) {
        for worker in 0..self.workers.len() {
            if matches!(self.phase(worker), Phase::Starting | Phase::Online | Phase::Retiring | Phase::Dying) {
                self.kill(worker, cause, actions);
            }
        }
    }

    fn finish_closing(&mut self, actions: &mut Vec<Action>) {
        if self.closing.is_some() && !self.closed && self.alive() == 0 {
            self.closed = true;
            actions.push(Action::Closed);
        }
    }

    fn tick(&mut self, now: u64, actions: &mut Vec<Action>) {
        if self.closing.is_some_and(|by| by <= now) && !self.closed {
            self.closing = Some(u64::MAX);
            self.kill_all(Cause::Close, actions);
        }
        self.grow(now, actions);
        for worker in 0..self.workers.len() {
            let Worker { phase, rung, until } = self.workers[worker];
            if until > now {
                continue;
            }
            match (phase, rung) {
                (Phase::Starting, _) => self.kill(worker, Cause::StartTimeout, actions),
                (_, Rung::Leaving) => {
                    self.climb(worker, Rung::Terminated, now + TERM_GRACE);
                    actions.push(Action::Terminate(worker, Cause::Close));
                }
                (_, Rung::Unreachable) => self.kill(worker, Cause::Channel, actions),
                (_, Rung::Mailed { .. } | Rung::Terminated) => self.kill(worker, Cause::Cancel, actions),
                (_, Rung::Acknowledged { .. }) => {
                    self.climb(worker, Rung::Terminated, now + TERM_GRACE);
                    actions.push(Action::Terminate(worker, Cause::Cancel));
                }
                _ => self.kill(worker, Cause::Close, actions),
            }
        }
    }
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
