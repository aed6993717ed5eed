//! What the pool of workers is told, and what it wants done.

use crate::pool::cause::{Cause, Leave};

#[derive(Debug, Clone)]
pub struct Limits {
    pub min: usize,
    pub max: usize,
    /// Workers beyond those, ready to take the place of one that is lost.
    pub spares: usize,
    /// No spare is started while so many workers are starting.
    pub cpus: usize,
    /// Indices there are; more than `max`, so that a replacement starts before an old index is free again.
    pub indices: usize,
    /// `None`: idle workers stay.
    pub idle: Option<u64>,
    pub start: u64,
    pub grace: u64,
    /// Starts that fail in a row until callers are turned away.
    pub attempts: u32,
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
    /// Somebody ended it while it started, which says nothing of its module: those who wait go on waiting.
    StartKilled(usize),
    /// A retiring worker that cannot say bye has finished.
    LetGo(usize),
    /// The end of the channel through which a worker is served.
    Unreachable(usize),
    /// It went over one of its limits.
    Breached(usize),
    /// It ends or has ended of itself without having had a task.
    Fruitless(usize),
    Exited(usize),
    /// The index may be used again.
    Drained(usize),
    /// A task of this worker was revoked, by its caller or its timeout.
    Revoked {
        worker: usize,
        turn: u64,
        cause: Cause,
    },
    Acknowledged {
        worker: usize,
        turn: u64,
    },
    /// The answer to `Action::Examine`.
    Examined {
        worker: usize,
        /// Its CPU time since the cancel, ns.
        cpu: u64,
        /// It runs, or waits for nothing but a CPU.
        runnable: bool,
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
    /// It has done what one worker may do: another takes its place.
    Worn(usize),
    /// All that are there are replaced, one by one.
    Reload,
    /// Another number of workers; those too many are told one by one by `Surplus`.
    Resize {
        min: usize,
        max: usize,
        indices: usize,
    },
    Surplus(usize),
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
    /// As `Spawn`; it takes no task before `Unpause`.
    SpawnPaused(usize),
    Unpause(usize),
    Retire(usize, Leave),
    Cancel {
        worker: usize,
        turn: u64,
    },
    /// Its cancel is not acknowledged in time: `Event::Examined` is to say whether it has waited for a CPU.
    Examine(usize),
    Terminate(usize, Cause),
    Kill(usize, Cause),
    /// All workers from before a reload are gone; or it was given up, since a new one could not be started. `count`: of
    /// the reloads that were asked for, so many are answered by this.
    Reloaded {
        done: bool,
        count: u32,
    },
    /// The last worker of a closed farm is gone.
    Closed,
}
