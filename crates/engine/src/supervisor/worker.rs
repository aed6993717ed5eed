//! One worker as the supervisor sees it: its child, its line, its streams.

use super::forked::Forked;
use super::guard_process;
use crate::pool::quiet::Quiet;
use crate::pool::wedge::Watch;
use crate::pool::workers::{Cause, Leave};
use crate::process::{verdict, Breach, ExitRecord, Meter, MostMemory, OomKills, Stream};
use crate::settings::LimitSettings;
use crate::shared::WorkerLine;
use farm_sys::{usage::cpu_ns, Child, ExitStatus, Fd, Line};
use farm_transport::layout::{worker::MAIL_FROM_SUPERVISOR, LANES};
use farm_transport::{frame::mail, Entry, Producer, Segment, Stamp, NO_SLOT};
use std::cell::RefCell;
use std::sync::Arc;

/// A hello that is not over.
pub struct Greeting {
    pub boot: Segment,
    /// Descriptors that are on their way, or there.
    pub sent: usize,
}

pub struct Worker {
    pub child: Option<Child>,
    pub line: Line,
    pub shared: Arc<WorkerLine>,
    pub streams: Vec<Arc<Stream>>,
    pub spawned_at: u64,
    pub cause: Option<Cause>,
    pub retired_for: Option<&'static str>,
    /// It has told why it cannot work.
    pub failed: bool,
    /// A signal that waits for the child to exist.
    pub kill_on_arrival: bool,
    pub most_memory: MostMemory,
    pub meter: Meter,
    /// The limit that it went over; why it is about to end.
    pub breach: Option<Breach>,
    oom_kills: OomKills,
    /// Its CPU time when it was told to let go of a task, ns.
    cpu_at_cancel: Option<u64>,
    /// Farm itself has stopped it, for a while: nothing it does not do meanwhile is its fault.
    pub paused: bool,
    pub watch: Watch,
    /// Of its arena.
    pub quiet: Quiet,
    /// Since when it has been told to leave and has no task, ns.
    pub leaving_since: Option<u64>,
    /// How long it was so before it was killed for being stopped, stalled or deaf, ns.
    pub wedged_for: Option<u64>,
    /// The reading end of its pulse; see `pulse`.
    pub pulse: Option<Fd>,
    /// Its process has begun to end, for reasons of its own.
    pub ending: bool,
    /// What of its hello has not been sent, since the system takes no more descriptors now.
    pub greeting: Option<Greeting>,
    /// For a script that does not map the queue.
    pub forked: Option<Forked>,
    /// What each lane was seen to run first, and when: a start that the worker moves later does not count.
    seen: RefCell<Vec<(u64, u64)>>,
    mail: Producer,
}

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

impl Worker {
    pub fn new(
        line: Line,
        shared: Arc<WorkerLine>,
        streams: Vec<Arc<Stream>>,
        now: u64,
        forked: Option<Forked>,
    ) -> Self {
        let mail = shared.own.producer(MAIL_FROM_SUPERVISOR);
        Worker {
            child: None,
            line,
            shared,
            streams,
            spawned_at: now,
            cause: None,
            retired_for: None,
            failed: false,
            kill_on_arrival: false,
            most_memory: MostMemory::default(),
            meter: Meter::default(),
            breach: None,
            oom_kills: OomKills::so_far(),
            cpu_at_cancel: None,
            paused: false,
            watch: Watch::default(),
            quiet: Quiet::default(),
            leaving_since: None,
            wedged_for: None,
            pulse: None,
            ending: false,
            greeting: None,
            forked,
            seen: RefCell::new(vec![(0, 0); LANES]),
            mail,
        }
    }

    /// When the task of a lane was started: what the worker says, but never later than it was first seen there.
    pub fn started(&self, lane: usize, stamp: Stamp, now: u64) -> u64 {
        let mut seen = self.seen.borrow_mut();
        let (task, first) = &mut seen[lane];
        if *task != stamp.task {
            (*task, *first) = (stamp.task, now);
        }
        stamp.since.min(*first)
    }

    pub fn pid(&self) -> i32 {
        self.child.as_ref().map_or(0, Child::pid)
    }

    pub fn kill(&mut self, cause: Cause) {
        if cause == Cause::Channel && (self.ending || self.forked.as_ref().is_some_and(|forked| forked.lingers)) {
            // It has ended by itself, or is about to have.
            return;
        }
        self.cause = self.cause.or(Some(cause));
        match &self.child {
            Some(child) => {
                self.most_memory.look(child.pid());
                let _ = child.signal(SIGKILL);
            }
            None => self.kill_on_arrival = true,
        }
    }

    /// Its line is closed, so it counts no more. Mostly it is ending already: this is not why, and is no cause.
    pub fn hang_up(&mut self) {
        if let Some(child) = &self.child {
            let _ = child.signal(SIGKILL);
        }
    }

    pub fn terminate(&mut self, cause: Cause) {
        self.cause = self.cause.or(Some(cause));
        if let Some(child) = &self.child {
            let _ = child.signal(SIGTERM);
        }
        self.go_on();
    }

    /// `first`: of those that are to be acknowledged.
    pub fn mail_cancel(&mut self, turn: u64, first: bool) {
        self.go_on();
        if first {
            self.cpu_at_cancel = self.cpu();
        }
        // A full mailbox means a worker that does not read: the ladder goes on without an acknowledgement.
        self.mail.push(mail::CANCEL, &[&Entry::new(turn, NO_SLOT).0.to_le_bytes()]);
    }

    fn cpu(&self) -> Option<u64> {
        self.child.as_ref().and_then(|child| cpu_ns(child.pid()))
    }

    /// In ns.
    pub fn cpu_since_cancel(&self) -> Option<u64> {
        Some(self.cpu()?.saturating_sub(self.cpu_at_cancel?))
    }

    pub fn mail_retire(&mut self, why: Leave) {
        self.retired_for = Some(why.name());
        self.mail.push(mail::RETIRE, &[]);
    }

    /// The exit, if the child has ended; what it started and left in its group ends with it.
    /// `guarded`: only then.
    pub fn reap(&self, guarded: bool) -> Option<ExitStatus> {
        self.child.as_ref().filter(|child| child.has_ended()).and_then(|child| reap(child, guarded))
    }

    pub fn record(&self, index: usize, status: ExitStatus, limits: &LimitSettings, now: u64) -> ExitRecord {
        for stream in &self.streams {
            stream.finish();
        }
        let stderr =
            self.streams.iter().find(|stream| stream.is_stderr()).map(|stream| stream.tail()).unwrap_or_default();
        let breach = self.breach(limits, &status);
        let cause = self.cause.or(breach.map(|_| Cause::Limit));
        let killed_for = cause.map(Cause::name);
        ExitRecord {
            worker_id: index + 1,
            pid: self.pid(),
            exit_code: status.code,
            signal: status.signal,
            verdict: verdict(&status, killed_for, &stderr, || self.oom_kills.take_one_more()),
            stderr,
            age: now.saturating_sub(self.spawned_at) / 1_000_000,
            cpu_time: status.cpu_ns.map(|ns| ns.div_ceil(1_000_000)),
            max_memory: self.most_memory.total(status.max_resident),
            killed_for,
            retired_for: self.retired_for,
            killed_after: self.wedged_for.map(|ns| ns / 1_000_000),
            breach: breach.filter(|_| cause == Some(Cause::Limit)),
            started: true,
            collateral: false,
            quarantined: false,
        }
    }
}

/// The exit of a child that has ended; see [`Worker::reap`].
pub fn reap(child: &Child, guarded: bool) -> Option<ExitStatus> {
    if guarded {
        child.kill_tree();
        // Before the number can be anybody else's.
        if let Ok(groups) = guard_process::groups() {
            groups.unlist(child.pid());
        }
    }
    child.reap()
}
