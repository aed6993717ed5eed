//! How many workers there are and what happens to each: start, idle, spare, replacement, cancel, kill ladder, closing.
//! Owned by the supervisor. Events in, actions out; all times are nanoseconds given by the caller.

mod breaker;
mod events;
mod growth;
mod ladder;
mod spares;

pub use super::cause::{Cause, Leave};
use breaker::{Breaker, SHORT_LIFE};
pub use events::{Action, Event, Limits};
pub use ladder::Phase;
use ladder::{Due, Rung, Worker, TERM_GRACE};

/// Those that take tasks now or soon, or will when they are unpaused.
const PRESENT: [Phase; 2] = [Phase::Starting, Phase::Online];
const ALIVE: [Phase; 4] = [Phase::Starting, Phase::Online, Phase::Retiring, Phase::Dying];

pub struct Workers {
    limits: Limits,
    workers: Vec<Worker>,
    demand: usize,
    /// Tasks that are not settled.
    open: usize,
    breaker: Breaker,
    /// Reloads that were asked for.
    generation: u32,
    reloading: bool,
    /// `Some(by)`: closing.
    closing: Option<u64>,
    closed: bool,
    halted: bool,
}

impl Workers {
    pub fn new(limits: Limits) -> Self {
        Workers {
            workers: vec![Worker::FREE; limits.indices],
            breaker: Breaker::new(limits.attempts),
            limits,
            demand: 0,
            open: usize::MAX,
            generation: 0,
            reloading: false,
            closing: None,
            closed: false,
            halted: false,
        }
    }

    pub fn phase(&self, worker: usize) -> Phase {
        self.workers.get(worker).map_or(Phase::Free, |worker| worker.phase)
    }

    pub fn is_paused(&self, worker: usize) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.paused)
    }

    pub fn is_worn(&self, worker: usize) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.worn)
    }

    /// The time of `close` is then the only one that counts.
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn count(&self, which: impl Fn(&Worker) -> bool) -> usize {
        self.workers.iter().filter(|worker| which(worker)).count()
    }

    /// Workers that take tasks now or soon. One that is started in the place of another counts when that one has gone.
    pub fn present(&self) -> usize {
        self.count(|worker| worker.is(&PRESENT) && !worker.paused && worker.replaces.is_none())
    }

    /// Workers that have joined and may claim.
    pub fn online(&self) -> usize {
        self.count(|worker| worker.phase == Phase::Online && !worker.paused)
    }

    pub fn alive(&self) -> usize {
        self.count(|worker| worker.is(&ALIVE))
    }

    /// The worker whose cancel waits for an acknowledgement or for its code to let go, and the turn of it.
    pub fn cancels(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.workers.iter().enumerate().filter_map(|(index, worker)| Some((index, worker.cancelled()?)))
    }

    /// Not all workers from before a reload are gone.
    pub fn is_reloading(&self) -> bool {
        self.reloading
    }

    /// It was told to let go of a task, or to end, and must be able to hear it.
    pub fn must_hear(&self, worker: usize) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.rung != Rung::None || worker.phase == Phase::Dying)
    }

    /// While the breaker is open: how long nothing is started.
    pub fn turns_away_for(&self, now: u64) -> Option<u64> {
        self.breaker.is_open().then(|| self.breaker.not_before().saturating_sub(now))
    }

    /// True when idle workers are worth looking at.
    pub fn may_shrink(&self) -> bool {
        self.limits.idle.is_some() && self.closing.is_none() && self.present() > self.limits.min
    }

    /// When `Tick` is due, if ever.
    pub fn deadline(&self) -> Option<u64> {
        let own = self.workers.iter().map(|worker| worker.until).min().unwrap_or(u64::MAX);
        let close = if self.closed { u64::MAX } else { self.closing.unwrap_or(u64::MAX) };
        let gate = self.breaker.not_before();
        let free = self.count(|worker| worker.phase == Phase::Free) > 0;
        let wants = self.wants_more() || self.wants_replacements() || self.wants_spares();
        let waits = gate > 0 && free && !self.waits_for_others() && wants;
        let start = if waits { gate } else { u64::MAX };
        Some(own.min(close).min(start)).filter(|at| *at != u64::MAX)
    }

    /// How many tasks are not settled now: nobody is started in the place of a lost worker for tasks that are over.
    pub fn open_tasks(&mut self, open: usize) {
        self.open = open;
    }

    pub fn handle(&mut self, event: Event, now: u64, actions: &mut Vec<Action>) {
        self.take(event, now, actions);
        self.grow(now, actions);
        self.finish(actions);
    }

    fn take(&mut self, event: Event, now: u64, actions: &mut Vec<Action>) {
        let grace = self.limits.grace;
        match event {
            Event::Demand(tasks) => {
                self.demand = tasks;
                if self.present() == 0 {
                    self.breaker.asked(now);
                }
            }
            Event::Runs(worker) => self.goes_online(worker, now, actions),
            Event::Online(worker) => {
                self.goes_online(worker, now, actions);
                self.breaker.online();
            }
            Event::StartFailed(worker) => self.start_failed(worker, true, now, actions),
            Event::StartKilled(worker) => self.start_failed(worker, false, now, actions),
            Event::LetGo(worker) => self.workers[worker].let_go(now, grace),
            Event::Unreachable(worker) => {
                self.workers[worker].unreachable(now);
                self.nobody_to_replace(worker);
                self.lost();
            }
            Event::Breached(worker) => {
                if !self.workers[worker].is(&[Phase::Free, Phase::Gone]) {
                    self.kill(worker, Cause::Limit, actions);
                }
            }
            Event::Wedged { worker, cause } => {
                if self.workers[worker].is(&[Phase::Starting, Phase::Online, Phase::Retiring]) {
                    self.kill(worker, cause, actions);
                }
            }
            Event::Fruitless(worker) => {
                if now.saturating_sub(self.workers[worker].born) < SHORT_LIFE {
                    self.breaker.died_early(now);
                }
            }
            Event::Exited(worker) => {
                self.workers[worker] = Worker { phase: Phase::Gone, ..Worker::FREE };
                self.nobody_to_replace(worker);
                self.lost();
            }
            Event::Drained(worker) => self.workers[worker].enter(&[Phase::Gone], Phase::Free, u64::MAX),
            Event::Revoked { worker, turn, cause } => {
                // Whose task it was is what a worker wrote.
                if self.workers.get_mut(worker).is_some_and(|worker| worker.revoked(turn, cause, now)) {
                    actions.push(Action::Cancel { worker, turn });
                }
            }
            Event::Acknowledged { worker, turn } => self.workers[worker].acknowledged(turn, now, grace),
            Event::Examined { worker, cpu, runnable } => {
                if self.workers[worker].is_deaf(cpu, runnable) {
                    self.kill(worker, self.workers[worker].blame, actions);
                }
            }
            Event::Released { worker, turn } => self.workers[worker].released(turn),
            Event::Idle { worker, since } => {
                let idle = self.limits.idle.is_some_and(|idle| now.saturating_sub(since) >= idle);
                if idle && self.takes_tasks(worker) && self.present() > self.limits.min {
                    self.leave(worker, Leave::Idle, actions);
                    // Nobody is to be started in its place.
                    self.demand = self.demand.min(self.present());
                }
            }
            Event::Worn(worker) => {
                if self.workers[worker].is(&PRESENT) {
                    self.workers[worker].worn = true;
                }
            }
            Event::Reload => {
                self.generation += 1;
                self.reloading = true;
                self.breaker.forgive();
            }
            Event::Resize { min, max, indices } => {
                self.limits = Limits { min, max, indices: indices.max(self.limits.indices), ..self.limits };
                self.workers.resize(self.limits.indices, Worker::FREE);
            }
            Event::Surplus(worker) => {
                // Those that are starting leave when they come.
                if self.takes_tasks(worker) && self.online() > self.limits.max {
                    self.leave(worker, Leave::Resize, actions);
                }
            }
            Event::Close { by } => self.close(by, actions),
            Event::Destroy => {
                self.closing = Some(u64::MAX);
                self.demand = 0;
                self.kill_all(Cause::Destroy, actions);
            }
            Event::Halt => {
                self.halted = true;
                self.kill_all(Cause::Poison, actions);
            }
            Event::Resume => self.halted = false,
            Event::Tick => self.tick(now, actions),
        }
    }

    /// Nobody is started for tasks that are over by now; a spare that is there stays in the place of the lost worker.
    fn lost(&mut self) {
        let spares = self.count(|worker| worker.paused && worker.phase == Phase::Online);
        self.demand = self.demand.min(self.open.max(self.present() + spares));
    }

    fn takes_tasks(&self, worker: usize) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.phase == Phase::Online && !worker.paused)
    }

    /// Another one is to take its place.
    fn is_stale(&self, worker: &Worker) -> bool {
        worker.worn || worker.generation != self.generation
    }

    fn goes_online(&mut self, worker: usize, now: u64, actions: &mut Vec<Action>) {
        if self.phase(worker) != Phase::Starting {
            return;
        }
        self.workers[worker].enter(&[Phase::Starting], Phase::Online, u64::MAX);
        self.workers[worker].born = now;
        let replaces = self.workers[worker].replaces.take();
        if let Some(old) = replaces {
            self.give_way(old, actions);
        }
        // There are to be fewer since it was started: those that come first stay. Or the one it was to replace does.
        let there = if replaces.is_some() { self.present() } else { self.online() };
        if self.takes_tasks(worker) && there > self.limits.max {
            self.leave(worker, Leave::Resize, actions);
        }
    }

    /// Its successor is there.
    fn give_way(&mut self, worker: usize, actions: &mut Vec<Action>) {
        if self.takes_tasks(worker) && self.is_stale(&self.workers[worker]) {
            let why = if self.workers[worker].worn { Leave::Recycle } else { Leave::Reload };
            self.leave(worker, why, actions);
        }
    }

    fn leave(&mut self, worker: usize, why: Leave, actions: &mut Vec<Action>) {
        self.workers[worker].retire();
        self.nobody_to_replace(worker);
        actions.push(Action::Retire(worker, why));
    }

    /// Whoever is started in its place is one more from now on.
    fn nobody_to_replace(&mut self, gone: usize) {
        for worker in &mut self.workers {
            if worker.replaces == Some(gone) {
                worker.replaces = None;
            }
        }
    }

    /// `of_itself`: another would fail as well.
    fn start_failed(&mut self, worker: usize, of_itself: bool, now: u64, actions: &mut Vec<Action>) {
        let Worker { started, generation, .. } = self.workers[worker];
        self.workers[worker].enter(&[Phase::Starting], Phase::Dying, now + TERM_GRACE);
        self.workers[worker].replaces = None;
        // It has failed now, whenever it ends.
        self.workers[worker].failing = false;
        let spare = |worker: &Worker| worker.paused && worker.is(&PRESENT) && !self.is_stale(worker);
        let alone = self.present() == 0 && self.count(spare) == 0;
        self.breaker.start_failed(started, now, alone);
        if alone && (of_itself || self.breaker.is_open()) {
            // The tasks are rejected now; for new ones somebody asks again.
            self.demand = 0;
        }
        if self.reloading && generation == self.generation {
            // What is new does not start: those that are there stay.
            self.reloading = false;
            self.workers.iter_mut().for_each(|worker| worker.generation = generation);
            actions.push(Action::Reloaded { done: false, count: generation });
        }
    }

    #[cfg(test)]
    pub fn wants(&self) -> usize {
        self.wanted()
    }

    fn kill(&mut self, worker: usize, cause: Cause, actions: &mut Vec<Action>) {
        self.workers[worker].kill();
        self.lost();
        self.nobody_to_replace(worker);
        actions.push(Action::Kill(worker, cause));
    }

    fn kill_all(&mut self, cause: Cause, actions: &mut Vec<Action>) {
        for worker in 0..self.workers.len() {
            if self.workers[worker].is(&ALIVE) {
                self.kill(worker, cause, actions);
            }
        }
    }

    fn close(&mut self, by: u64, actions: &mut Vec<Action>) {
        self.closing = Some(by);
        self.demand = 0;
        for worker in 0..self.workers.len() {
            match self.phase(worker) {
                Phase::Online => self.leave(worker, Leave::Close, actions),
                Phase::Starting => self.kill(worker, Cause::Close, actions),
                _ => {}
            }
        }
    }

    fn finish(&mut self, actions: &mut Vec<Action>) {
        if self.closing.is_some() && !self.closed && self.alive() == 0 {
            self.closed = true;
            actions.push(Action::Closed);
        }
        if self.reloading && self.count(|worker| worker.is(&ALIVE) && worker.generation != self.generation) == 0 {
            self.reloading = false;
            actions.push(Action::Reloaded { done: true, count: self.generation });
        }
    }

    fn tick(&mut self, now: u64, actions: &mut Vec<Action>) {
        if self.closing.is_some_and(|by| by <= now) && !self.closed {
            self.closing = Some(u64::MAX);
            self.kill_all(Cause::Close, actions);
        }
        for worker in 0..self.workers.len() {
            match self.workers[worker].due(now) {
                Some(Due::Examine) => actions.push(Action::Examine(worker)),
                Some(Due::Kill(cause)) => self.kill(worker, cause, actions),
                Some(Due::Terminate(cause)) => actions.push(Action::Terminate(worker, cause)),
                None => {}
            }
        }
    }
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
