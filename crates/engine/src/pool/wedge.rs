//! Tells from outside what a worker that holds a task for long is at: it computes, it waits, it is blocked, it is stopped.
//! One [`Watch`] per worker. Whoever looks brings what was seen; what is to be done about it comes back.

use super::workers::Cause;

/// A loop that turned is asked again after this time.
const ASK_AGAIN: u64 = 1_000_000_000;
/// Without an answer and without CPU time for so long, a worker counts as blocked.
const BLOCKED_AFTER: u64 = 500_000_000;
/// The CPU time of a worker's group is asked for no more often than this.
const GROUP_AGAIN: u64 = 250_000_000;

/// `None`: for ever. Times in ns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Of being stopped by a signal while a task needs this worker.
    pub stopped: Option<u64>,
    /// Of a loop that does not turn, in a worker with a task that uses no CPU time, nor does what it started.
    pub stalled: Option<u64>,
    /// Of a loop that does not turn in a worker without a task while tasks wait.
    pub deaf: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    Runs,
    /// By a signal that is not ours.
    Stopped,
    /// Held by a debugger, or by us: what it does not do meanwhile is not its fault.
    Held,
}

#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub now: u64,
    pub process: Process,
    /// Changes with every turn of its event loop; `None` for a worker whose loop does not tell.
    pub beat: Option<u64>,
    /// Grows with the CPU time of the worker.
    pub cpu: u64,
    /// It runs or waits for a CPU: one that gets none on a busy machine is not blocked.
    pub runnable: bool,
    /// The same for all that it started and that is in its group, if that was looked at.
    pub group: Option<u64>,
    /// The task it has held longest, 0 for none.
    pub task: u64,
    /// It has none, and tasks wait.
    pub needed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// Nothing to do, or nothing for long.
    #[default]
    Brief,
    /// It uses CPU time, and its loop does not turn.
    Busy,
    /// Its loop turns while the task is open.
    Waiting,
    /// Neither.
    Blocked,
    Stopped,
}

impl Activity {
    /// The one of this number; what is no number of one counts as brief.
    pub fn of(number: u8) -> Activity {
        [Activity::Busy, Activity::Waiting, Activity::Blocked, Activity::Stopped]
            .into_iter()
            .find(|activity| *activity as u8 == number)
            .unwrap_or_default()
    }

    /// In words for a worker with or without a task.
    pub fn name(self, with_task: bool) -> &'static str {
        match self {
            Activity::Brief if !with_task => "idle",
            Activity::Brief | Activity::Busy => "busy",
            Activity::Waiting => "waiting",
            Activity::Blocked => "blocked",
            Activity::Stopped => "stopped",
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub activity: Activity,
    /// Ring it, so that its loop turns if it can.
    pub ring: bool,
    /// What it is to be killed for, and for how long it has been so (ns).
    pub kill: Option<(Cause, u64)>,
}

/// What was seen of one worker so far.
#[derive(Debug, Default)]
pub struct Watch {
    /// The task that it held, and since when; what follows is about this one.
    task: u64,
    /// The task was seen before; it was looked at before.
    known: bool,
    watching: bool,
    beat: u64,
    cpu: u64,
    group: Option<u64>,
    group_at: u64,
    used_at: u64,
    stopped_at: Option<u64>,
    /// The last ring, and whether the loop has turned since.
    rung_at: Option<u64>,
    answered: bool,
}

impl Watch {
    /// True when this is not news: then it is worth a [`look`](Self::look), which costs system calls.
    pub fn knows(&mut self, task: u64, needed: bool) -> bool {
        if task == 0 && !needed {
            *self = Watch::default();
            return false;
        }
        let known = self.known && self.task == task;
        (self.known, self.task, self.watching) = (true, task, self.watching && known);
        known
    }

    /// How long it has neither answered a ring nor used CPU time.
    fn still(&self, now: u64) -> Option<u64> {
        let rung_at = self.rung_at.filter(|_| self.watching && !self.answered)?;
        Some(now.saturating_sub(rung_at.max(self.used_at)))
    }

    /// True when the next look should bring the CPU time of the worker's group, which is dear.
    pub fn wants_group(&self, now: u64, limits: &Limits) -> bool {
        let (Some(limit), Some(still)) = (limits.stalled.filter(|_| self.task != 0), self.still(now)) else {
            return false;
        };
        let due = self.group.is_none() || now.saturating_sub(self.group_at) >= (limit / 8).max(GROUP_AGAIN);
        still >= limit || (due && still >= BLOCKED_AFTER.min(limit / 4))
    }

    pub fn look(&mut self, look: &Look, limits: &Limits) -> Seen {
        if look.task == 0 && !look.needed {
            *self = Watch::default();
            return Seen::default();
        }
        if !self.watching || self.task != look.task {
            // A stop outlasts the task: it may have begun before this one was claimed.
            let stopped_at = self.stopped_at;
            *self = Watch {
                task: look.task,
                known: true,
                watching: true,
                cpu: look.cpu,
                used_at: look.now,
                ..Watch::default()
            };
            self.stopped_at = stopped_at;
            self.beat = look.beat.unwrap_or(0);
        }
        match look.process {
            Process::Stopped => return self.stopped(look, limits),
            Process::Held => {
                // Its time begins anew.
                *self = Watch::default();
                return Seen::default();
            }
            Process::Runs if self.stopped_at.take().is_some() => {
                (self.rung_at, self.used_at) = (None, look.now);
            }
            Process::Runs => {}
        }
        if look.cpu != self.cpu || look.runnable {
            (self.cpu, self.used_at) = (look.cpu, look.now);
        }
        if let Some(group) = look.group {
            if self.group.is_some_and(|before| before != group) {
                self.used_at = look.now;
            }
            (self.group, self.group_at) = (Some(group), look.now);
        }
        let Some(beat) = look.beat else { return self.without_a_loop(look) };
        if beat != self.beat {
            (self.beat, self.answered) = (beat, true);
        }
        self.running(look, limits)
    }

    fn stopped(&mut self, look: &Look, limits: &Limits) -> Seen {
        let since = *self.stopped_at.get_or_insert(look.now);
        let lasted = look.now.saturating_sub(since);
        let kill = limits.stopped.filter(|limit| lasted >= *limit).map(|_| (Cause::Stopped, lasted));
        Seen { activity: Activity::Stopped, ring: false, kill }
    }

    fn without_a_loop(&self, look: &Look) -> Seen {
        let idle = look.now.saturating_sub(self.used_at) >= BLOCKED_AFTER;
        Seen { activity: if idle { Activity::Waiting } else { Activity::Busy }, ..Seen::default() }
    }

    fn running(&mut self, look: &Look, limits: &Limits) -> Seen {
        let limit = if look.task == 0 { limits.deaf } else { limits.stalled };
        let Some(rung_at) = self.rung_at else { return self.ring(look, Activity::Brief) };
        let since_ring = look.now.saturating_sub(rung_at);
        if self.answered {
            let again = limit.map_or(ASK_AGAIN, |limit| ASK_AGAIN.min(limit / 4));
            return if since_ring >= again {
                self.ring(look, Activity::Waiting)
            } else {
                Seen { activity: Activity::Waiting, ..Seen::default() }
            };
        }
        // From the ring on the loop is known not to have turned.
        let still = self.still(look.now).unwrap_or(0);
        let activity = if still >= BLOCKED_AFTER { Activity::Blocked } else { Activity::Busy };
        let (cause, lasted) = if look.task == 0 { (Cause::Deaf, since_ring) } else { (Cause::Stalled, still) };
        let kill = limit.filter(|limit| lasted >= *limit).map(|_| (cause, lasted));
        Seen { activity, ring: false, kill }
    }

    fn ring(&mut self, look: &Look, activity: Activity) -> Seen {
        self.rung_at = Some(look.now);
        self.answered = false;
        Seen { activity, ring: true, kill: None }
    }
}

#[cfg(test)]
#[path = "wedge_tests.rs"]
mod tests;
