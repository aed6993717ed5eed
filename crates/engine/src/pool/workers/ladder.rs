//! One worker of the pool, and its kill ladder: what happens to it when its task was revoked or it was told to go, step
//! by step.

use crate::pool::cause::Cause;

/// A worker that runs synchronous code cannot acknowledge a cancel; one that does not within this time never will, unless
/// it has waited for a CPU: then it has as long again.
pub const ACK_WITHIN: u64 = 10_000_000;
/// However long it waits for a CPU. The task is rejected already; this is for its worker alone.
pub const ACK_AT_MOST: u64 = 200_000_000;
/// With less CPU time since its cancel it could not be expected to acknowledge. One that never gives the CPU away has had
/// more of it within `ACK_WITHIN`, where it has one for itself.
const CPU_TO_ACK: u64 = ACK_WITHIN / 2;
/// Between SIGTERM and SIGKILL.
pub const TERM_GRACE: u64 = 1_000_000_000;

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
pub enum Rung {
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

/// What is to be done to a worker now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Whether it has waited for a CPU is to be found out.
    Examine,
    Terminate(Cause),
    Kill(Cause),
}

#[derive(Debug, Clone, Copy)]
pub struct Worker {
    pub phase: Phase,
    pub rung: Rung,
    /// When the present phase or rung ends, or `u64::MAX`.
    pub until: u64,
    /// When a cancel must be acknowledged, whatever it waits for.
    pub ack_by: u64,
    pub started: u64,
    /// When it came online.
    pub born: u64,
    /// A spare: it is there and takes no task.
    pub paused: bool,
    /// It has had its time: another one is to take its place.
    pub worn: bool,
    /// The reload before which it was started.
    pub generation: u32,
    /// It was killed before it was online.
    pub failing: bool,
    /// Why the task on its ladder was revoked.
    pub blame: Cause,
    /// It is started in the place of this worker, which goes when it comes.
    pub replaces: Option<usize>,
}

impl Worker {
    pub const FREE: Worker = Worker {
        phase: Phase::Free,
        rung: Rung::None,
        until: u64::MAX,
        ack_by: 0,
        started: 0,
        born: 0,
        paused: false,
        worn: false,
        generation: 0,
        failing: false,
        blame: Cause::Cancel,
        replaces: None,
    };

    pub fn is(&self, phases: &[Phase]) -> bool {
        phases.contains(&self.phase)
    }

    pub fn enter(&mut self, from: &[Phase], to: Phase, until: u64) {
        if self.is(from) {
            *self = Worker { phase: to, rung: Rung::None, until, ..*self };
        }
    }

    fn climb(&mut self, rung: Rung, until: u64) {
        self.rung = rung;
        self.until = until;
    }

    /// The turn whose cancel waits for an acknowledgement or for the code to let go.
    pub fn cancelled(&self) -> Option<u64> {
        match self.rung {
            Rung::Mailed { turn } | Rung::Acknowledged { turn } => Some(turn),
            _ => None,
        }
    }

    /// False when there is nobody to be told.
    pub fn revoked(&mut self, turn: u64, cause: Cause, now: u64) -> bool {
        let there = self.is(&[Phase::Online, Phase::Retiring]);
        if there && self.rung == Rung::None {
            self.blame = cause;
            self.ack_by = now + ACK_AT_MOST;
            self.climb(Rung::Mailed { turn }, now + ACK_WITHIN);
        }
        there
    }

    /// True when it does not hear its cancel although it could. `cpu`: what it has had since then, ns.
    pub fn is_deaf(&self, cpu: u64, runnable: bool) -> bool {
        let waits = runnable && cpu < CPU_TO_ACK;
        matches!(self.rung, Rung::Mailed { .. }) && !waits
    }

    pub fn acknowledged(&mut self, turn: u64, now: u64, grace: u64) {
        if self.rung == (Rung::Mailed { turn }) {
            self.climb(Rung::Acknowledged { turn }, now.saturating_add(grace));
        }
    }

    pub fn released(&mut self, turn: u64) {
        if self.cancelled() == Some(turn) {
            self.climb(Rung::None, u64::MAX);
        }
    }

    /// It cannot say bye and has finished.
    pub fn let_go(&mut self, now: u64, grace: u64) {
        if self.phase == Phase::Retiring {
            self.climb(Rung::Leaving, now.saturating_add(grace));
        }
    }

    /// One that was let go is about to end in order.
    pub fn unreachable(&mut self, now: u64) {
        if self.is(&[Phase::Online, Phase::Retiring]) && self.rung != Rung::Leaving {
            self.phase = Phase::Dying;
            self.climb(Rung::Unreachable, now + TERM_GRACE);
        }
    }

    pub fn retire(&mut self) {
        self.phase = Phase::Retiring;
        if self.rung == Rung::None {
            self.until = u64::MAX;
        }
    }

    pub fn kill(&mut self) {
        let failing = self.failing || self.phase == Phase::Starting;
        *self = Worker { phase: Phase::Dying, rung: Rung::None, until: u64::MAX, failing, replaces: None, ..*self };
    }

    /// The next step, when its time has come.
    pub fn due(&mut self, now: u64) -> Option<Due> {
        if self.until > now {
            return None;
        }
        let terminate = |worker: &mut Worker, cause| {
            worker.climb(Rung::Terminated, now + TERM_GRACE);
            Due::Terminate(cause)
        };
        Some(match (self.phase, self.rung) {
            (Phase::Starting, _) => Due::Kill(Cause::StartTimeout),
            (_, Rung::Leaving) => terminate(self, Cause::Close),
            (_, Rung::Unreachable) => Due::Kill(Cause::Channel),
            (_, Rung::Mailed { .. }) if now < self.ack_by => {
                self.until = self.ack_by.min(now + ACK_WITHIN);
                Due::Examine
            }
            (_, Rung::Mailed { .. } | Rung::Terminated) => Due::Kill(self.blame),
            (_, Rung::Acknowledged { .. }) => terminate(self, self.blame),
            (_, Rung::None) => Due::Kill(Cause::Close),
        })
    }
}
