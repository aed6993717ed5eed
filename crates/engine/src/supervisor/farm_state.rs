//! One farm as the supervisor sees it: the pool's decisions and the workers they are about.

use super::lookout::{Lookout, INTERVAL};
use super::spawner::Order;
use super::worker::Worker;
use crate::pool::quiet::Quiet;
use crate::pool::workers::{Action, Cause, Event, Leave, Limits, Phase, Workers};
use crate::process::ExitRecord;
use crate::shared::{FarmEvent, FarmLine, Shared};
use crossbeam::channel::Sender;
use farm_sys::{monotonic_ns, Child, Poller};
use farm_transport::frame::tell;
use farm_transport::layout::phase;
use std::path::Path;
use std::sync::atomic::{fence, Ordering::*};
use std::sync::Arc;

/// Looks for an exit at this interval where the system cannot tell (no pidfd).
const EXIT_POLL: u64 = 20_000_000;

/// Words of a worker that are heard in one turn.
const MESSAGES: usize = 16;

/// Most bytes of a worker's reason not to join.
const REFUSAL: usize = 1024;

pub struct FarmState {
    pub shared: Arc<Shared>,
    pub(super) line: Arc<FarmLine>,
    pub(super) boot: Arc<[u8]>,
    pub(super) pool: Workers,
    pub(super) workers: Vec<Option<Worker>>,
    pub(super) lookout: Lookout,
    pub(super) next_lookout: u64,
    pub(super) next_wedge: u64,
    pub(super) next_memory_look: u64,
    pub(super) next_quiet: u64,
    /// Of the request arena.
    pub(super) quiet: Quiet,
    pub(super) halted: bool,
    pub closed: bool,
    /// When `tick` is to be called again; 0 after everything that has happened to it.
    pub due: u64,
}

/// What the supervisor lends a farm to act with.
pub struct Hands<'a> {
    pub poller: &'a Poller,
    pub spawner: &'a Sender<Order>,
}

pub enum Watched {
    Line,
    Exit,
    /// The doorbell of a worker that the supervisor serves.
    Bell,
    Pulse,
}

/// Farm, worker and descriptor in one number for the poller.
pub fn token(farm: u32, worker: usize, watched: Watched) -> u64 {
    u64::from(farm) << 24 | (worker as u64) << 8 | watched as u64
}

pub fn of_token(token: u64) -> (u32, usize, Watched) {
    let watched = match token & 0xff {
        0 => Watched::Line,
        1 => Watched::Exit,
        2 => Watched::Bell,
        _ => Watched::Pulse,
    };
    ((token >> 24) as u32, (token >> 8 & 0xffff) as usize, watched)
}

impl FarmState {
    pub fn new(shared: Arc<Shared>, line: Arc<FarmLine>, boot: Arc<[u8]>) -> Self {
        let settings = &shared.settings;
        let limits = Limits {
            min: settings.min,
            max: settings.max,
            indices: settings.indices(),
            idle: settings.idle,
            start: settings.start,
            grace: settings.grace,
            attempts: settings.start_attempts,
            spares: settings.spares,
            cpus: shared.cpus,
        };
        let workers = (0..settings.indices()).map(|_| None).collect();
        FarmState {
            pool: Workers::new(limits),
            workers,
            line,
            boot,
            lookout: Lookout::default(),
            next_lookout: u64::MAX,
            next_wedge: u64::MAX,
            next_memory_look: 0,
            next_quiet: u64::MAX,
            quiet: Quiet::default(),
            halted: false,
            closed: false,
            due: 0,
            shared,
        }
    }

    pub fn handle(&mut self, event: Event, hands: &Hands) {
        let mut actions = Vec::new();
        self.pool.open_tasks(self.shared.open.load(SeqCst) as usize);
        self.pool.handle(event, monotonic_ns(), &mut actions);
        for action in actions {
            self.act(action, hands);
        }
        self.line.queue.queue.set_online(self.pool.online());
    }

    fn act(&mut self, action: Action, hands: &Hands) {
        match action {
            Action::Spawn(worker) | Action::SpawnPaused(worker) => {
                if let Err(error) = self.start(worker, hands) {
                    self.cannot_start(worker, &error, hands);
                }
            }
            Action::Closed => {
                self.closed = true;
                self.shared.post(FarmEvent::Closed);
            }
            Action::Unpause(worker) => self.with(worker, |worker| worker.shared.own.paused().store(0, Release)),
            Action::Reloaded { done, count } => self.shared.post(FarmEvent::Reloaded { done, count }),
            Action::Retire(worker, why) => {
                self.with(worker, |worker| worker.mail_retire(why));
                if why == Leave::Idle {
                    self.shared.post(FarmEvent::Fewer);
                }
            }
            Action::Cancel { worker, turn } => {
                let first = self.pool.cancels().any(|cancel| cancel == (worker, turn));
                self.with(worker, |worker| worker.mail_cancel(turn, first));
            }
            Action::Examine(worker) => self.examine(worker, hands),
            Action::Terminate(worker, cause) => self.with(worker, |worker| worker.terminate(cause)),
            Action::Kill(worker, cause) => {
                self.with(worker, |worker| worker.kill(cause));
                if cause == Cause::StartTimeout {
                    self.is_spawned_too_late(worker, hands);
                }
            }
        }
    }

    fn with(&mut self, index: usize, act: impl FnOnce(&mut Worker)) {
        if let Some(worker) = &mut self.workers[index] {
            act(worker);
            self.shared.ring(index as u16);
        }
    }

    /// Its program may lie on a disk that does not answer: its tasks need not wait for that.
    fn is_spawned_too_late(&mut self, index: usize, hands: &Hands) {
        let unborn = |worker: &&mut Worker| worker.child.is_none() && !worker.failed;
        if let Some(worker) = self.workers[index].as_mut().filter(unborn) {
            worker.failed = true;
            let message = "the system did not start its program within startTimeout".into();
            self.start_failed(index, "spawn", message, None, None, hands);
        }
    }

    fn cannot_start(&mut self, worker: usize, error: &farm_sys::Error, hands: &Hands) {
        self.start_failed(worker, "spawn", error.to_string(), None, None, hands);
        self.never_was(worker, hands);
    }

    /// It never joined, so nothing is to be drained.
    fn never_was(&mut self, worker: usize, hands: &Hands) {
        self.workers[worker] = None;
        self.handle(Event::Exited(worker), hands);
        self.handle(Event::Drained(worker), hands);
        self.tell_when_all_gone();
    }

    pub(super) fn start_failed(
        &mut self,
        worker: usize,
        reason: &'static str,
        message: String,
        error: Option<Vec<u8>>,
        record: Option<ExitRecord>,
        hands: &Hands,
    ) {
        let stopped = Some(Cause::Stopped.name());
        let killed = record.as_ref().is_some_and(|of| of.verdict == "killed" || of.killed_for == stopped);
        self.handle(if killed { Event::StartKilled(worker) } else { Event::StartFailed(worker) }, hands);
        let turned_away = self.pool.turns_away_for(monotonic_ns());
        let alone = self.pool.present() == 0 && (!killed || turned_away.is_some());
        self.shared.post(FarmEvent::StartFailed { worker, reason, message, error, record, alone, turned_away });
    }

    pub fn spawned(&mut self, index: usize, child: farm_sys::Result<Child>, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        match child {
            Ok(mut child) => {
                let watch = |fd| hands.poller.add(fd, token(self.shared.id, index, Watched::Exit));
                if child.exit_fd().is_some_and(|fd| watch(fd).is_err()) {
                    // Its exit is looked for.
                    child.lose_exit_fd();
                }
                self.shared.post(FarmEvent::Spawned { worker: index, pid: child.pid() });
                worker.child = Some(child);
                if worker.kill_on_arrival {
                    let cause = worker.cause.unwrap_or(Cause::Destroy);
                    worker.kill(cause);
                } else if worker.forked.is_some() {
                    self.fork_runs(index, hands);
                } else {
                    self.welcome(index, hands);
                }
            }
            Err(error) => {
                hands.poller.remove(worker.line.fd());
                if worker.forked.is_some() {
                    hands.poller.remove(self.shared.bell(index).fd());
                }
                let program = &self.shared.settings.program;
                let message = match &program.cwd {
                    // The system names neither the directory nor the program.
                    Some(dir) if !Path::new(dir).is_dir() => format!("the working directory {dir} does not exist"),
                    _ => format!("{}: {error}", program.path),
                };
                if !worker.failed {
                    self.start_failed(index, "spawn", message, None, None, hands);
                }
                self.never_was(index, hands);
            }
        }
    }

    /// Something on the line of a worker: a word from its bootstrap, or its end.
    pub fn hear(&mut self, index: usize, hands: &Hands) {
        if self.workers[index].as_ref().is_some_and(|worker| worker.forked.is_some()) {
            return self.serve(index, false, hands);
        }
        let mut raw = vec![0; 256 * 1024];
        // One that talks without end does not keep the others waiting; the poller comes back to it.
        for _ in 0..MESSAGES {
            let Some(worker) = &mut self.workers[index] else { return };
            match worker.line.receive(&mut raw) {
                Ok(None) => return,
                Ok(Some((0, _))) | Err(_) => {
                    // Closed. An exit follows; a worker that closes its line and lives on does not count any more.
                    hands.poller.remove(worker.line.fd());
                    if worker.child.as_ref().is_some_and(|child| !child.has_ended()) {
                        self.begins_to_end(index, hands);
                    }
                    return;
                }
                Ok(Some((len, fds))) if raw[..len] == [tell::PULSE] => self.feel(index, fds.into_iter().next(), hands),
                Ok(Some((len, _))) => self.message(index, &raw[..len], hands),
            }
        }
    }

    fn message(&mut self, index: usize, message: &[u8], hands: &Hands) {
        let Some((tag, error)) = message.split_first() else { return };
        match *tag {
            tell::ONLINE => {
                self.shared.post(FarmEvent::Online { worker: index });
                self.handle(Event::Online(index), hands);
                // What was revoked before this word of it came could not be told to anybody.
                for turn in self.shared.revoked_of(&self.line, index) {
                    self.handle(Event::Revoked { worker: index, turn, cause: self.why_revoked(index, turn) }, hands);
                }
                // It may have come too late for the ring of what waits.
                self.shared.ring(index as u16);
            }
            tell::FAILED | tell::REFUSED => {
                if let Some(worker) = &mut self.workers[index] {
                    worker.failed = true;
                }
                if *tag == tell::FAILED {
                    return self.start_failed(index, "load", String::new(), Some(error.to_vec()), None, hands);
                }
                let why = String::from_utf8_lossy(&error[..error.len().min(REFUSAL)]);
                let message = format!("A worker could not join its farm: {why}");
                self.start_failed(index, "handshake", message, None, None, hands);
            }
            tell::WORN => self.handle(Event::Worn(index), hands),
            tell::ERROR => self.shared.post(FarmEvent::WorkerError { worker: index, error: error.to_vec() }),
            _ => {}
        }
    }

    /// The child of a worker may have ended.
    pub fn check_exit(&mut self, index: usize, hands: &Hands) {
        if self.fork_stays(index, hands) {
            return;
        }
        let Some(worker) = &self.workers[index] else { return };
        let Some(status) = worker.reap(self.shared.settings.guard.is_some()) else { return };
        let maps_queue = worker.forked.is_none();
        if self.shared.settings.spares > 0 {
            // A spare takes over before anything else is done about the dead.
            self.handle(Event::Unreachable(index), hands);
        }
        // What it said last comes before its end.
        if maps_queue {
            self.hear(index, hands);
        } else {
            self.fork_ended(index, hands);
        }
        let Some(worker) = self.workers[index].take() else { return };
        // Also where somebody else holds them still: they would be reported for ever, under the number of the next worker.
        let exit_fd = worker.child.as_ref().and_then(Child::exit_fd);
        for fd in [Some(worker.line.fd()), exit_fd, worker.pulse.as_ref()].into_iter().flatten() {
            hands.poller.remove(fd);
        }
        let record = worker.record(index, status, &self.shared.settings.limits, monotonic_ns());
        let never_online =
            self.pool.phase(index) == Phase::Starting || worker.shared.own.phase().load(Acquire) == phase::STARTING;
        // One that was killed because the farm ends has not failed.
        let by_itself =
            matches!(worker.cause, None | Some(Cause::StartTimeout | Cause::Channel | Cause::Limit | Cause::Stopped));
        if never_online && !worker.failed && by_itself {
            let reason = if worker.cause.is_some() { "handshake" } else { "load" };
            self.start_failed(index, reason, String::new(), None, Some(record.clone()), hands);
        }
        let planned = worker.shared.own.phase().load(Acquire) == phase::BYE;
        let held = self.shared.held_by(&self.line, index as u16, &worker.shared);
        if !never_online && !planned && worker.cause.is_none() && held.is_empty() && !worker.shared.own.has_replied() {
            self.handle(Event::Fruitless(index), hands);
        }
        self.shared.post(FarmEvent::Exited { worker: index, record, held, planned });
        let queue = &self.line.queue.queue;
        queue.forget(index as u16);
        queue.wake(1, |worker| self.shared.ring(worker));
        self.handle(Event::Exited(index), hands);
        self.tell_when_all_gone();
    }

    pub fn watch(&mut self) {
        self.next_lookout = self.next_lookout.min(monotonic_ns() + INTERVAL);
    }

    pub fn poison(&mut self, hands: &Hands) {
        if self.halted {
            return;
        }
        self.halted = true;
        self.handle(Event::Halt, hands);
        self.tell_when_all_gone();
    }

    /// After that the JavaScript thread makes the queue anew.
    fn tell_when_all_gone(&mut self) {
        if self.halted && self.pool.alive() == 0 {
            self.shared.post(FarmEvent::Poisoned);
        }
    }

    pub fn reset(&mut self, line: Arc<FarmLine>, hands: &Hands) {
        self.line = line;
        // It was made before the JavaScript thread could know of a resize that was under way.
        self.line.queue.queue.admit(self.workers.len());
        self.halted = false;
        self.handle(Event::Resume, hands);
    }

    pub(super) fn each_alive(&self) -> impl Iterator<Item = (u16, &Worker)> {
        self.workers.iter().enumerate().filter_map(|(index, worker)| Some((index as u16, worker.as_ref()?)))
    }

    /// Everything that depends on time. Returns when to come again.
    pub fn tick(&mut self, hands: &Hands) -> u64 {
        let now = monotonic_ns();
        let mut next = self.expire(now, hands).min(self.greet_on(now, hands));
        self.follow_cancels(hands);
        next = next.min(self.retire_idle(now, hands));
        self.handle(Event::Tick, hands);
        next = next.min(self.look_around(now, hands));
        next = next.min(self.look_for_wedged(now, hands));
        next = next.min(self.hold_to_limits(now, hands));
        next = next.min(self.recycle(now, hands));
        next = next.min(self.cool_quiet(now, hands));
        if self.each_alive().any(|(_, worker)| worker.child.as_ref().is_some_and(|child| child.exit_fd().is_none())) {
            for index in 0..self.workers.len() {
                self.check_exit(index, hands);
            }
            next = next.min(now + EXIT_POLL);
        }
        self.shared.next_look.store(next, Release);
        // Who has published a task with a timeout since `expire` may have read the time of the look before. It writes the
        // timeout, passes a fence and reads that time (`Farm::published`); so one of the two sees the other.
        fence(SeqCst);
        if self.shared.timed.load(Acquire) > 0 {
            next = next.min(now.saturating_add(self.shared.least_timeout.load(Acquire)));
        }
        next.min(self.pool.deadline().unwrap_or(u64::MAX))
    }
}
