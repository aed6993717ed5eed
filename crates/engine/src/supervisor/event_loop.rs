//! The supervisor's thread: one poll, then what came in, then what is due.

use super::command::Command;
use super::farm_state::{of_token, FarmState, Hands, Watched};
use super::guard::{Guard, GUARD};
use super::remains::Remains;
use super::spawner::Order;
use crate::pool::workers::{Cause, Event};
use crate::shared::FarmEvent;
use crossbeam::channel::{Receiver, Sender};
use farm_sys::{is_fault_forced, monotonic_ns, Doorbell, Poller};
use std::collections::HashMap;
use std::sync::Arc;

/// The poller's token of the supervisor's own doorbell.
pub const BELL: u64 = u64::MAX;

pub struct EventLoop {
    pub(super) poller: Poller,
    pub(super) commands: Receiver<Command>,
    pub(super) bell: Arc<Doorbell>,
    spawner: Sender<Order>,
    pub(super) farms: HashMap<u32, FarmState>,
    pub(super) guard: Guard,
    pub(super) remains: Remains,
    /// Whose state is being changed; a fault there harms nobody else.
    pub(super) busy_with: Option<u32>,
}

impl EventLoop {
    pub fn new(poller: Poller, commands: Receiver<Command>, bell: Arc<Doorbell>, spawner: Sender<Order>) -> Self {
        let (farms, guard, remains) = (HashMap::new(), Guard::default(), Remains::default());
        EventLoop { poller, commands, bell, spawner, farms, guard, remains, busy_with: None }
    }

    pub fn run(mut self) {
        let mut ready = Vec::new();
        let mut next = u64::MAX;
        loop {
            let timeout = (next != u64::MAX).then(|| next.saturating_sub(monotonic_ns()));
            ready.clear();
            if let Err(error) = self.poller.wait(&mut ready, timeout) {
                // It would leave every worker without supervision: end them instead.
                self.fail_all(&error.to_string());
                if !self.renew_poller() {
                    return;
                }
            }
            next = self.turn_or_fail(&ready);
        }
    }

    /// What came in, then what is due. Returns when something is due next.
    pub(super) fn turn(&mut self, ready: &[u64]) -> u64 {
        for token in ready {
            self.event(*token);
        }
        self.bell.clear();
        while let Ok(command) = self.commands.try_recv() {
            self.command(command);
        }
        let hands = Hands { poller: &self.poller, spawner: &self.spawner };
        let now = monotonic_ns();
        // Of many farms few have anything to do.
        for farm in self.farms.values_mut().filter(|farm| farm.due <= now) {
            self.busy_with = Some(farm.shared.id);
            farm.due = farm.tick(&hands);
        }
        self.busy_with = None;
        let mut next = self.farms.values().map(|farm| farm.due).min().unwrap_or(u64::MAX);
        self.farms.retain(|_, farm| !farm.closed);
        next = next.min(self.remains.tick(monotonic_ns()));
        if self.remains.are_gone() && !self.farms.values().any(|farm| farm.shared.settings.guard.is_some()) {
            self.guard.stop();
        }
        let now = monotonic_ns();
        if self.guard.next_look(now) < u64::MAX {
            self.check_guard(now);
        }
        next.min(self.guard.next_look(now))
    }

    fn event(&mut self, token: u64) {
        match token {
            BELL => return,
            GUARD => return self.check_guard(monotonic_ns()),
            _ => {}
        }
        let (farm, worker, watched) = of_token(token);
        let hands = Hands { poller: &self.poller, spawner: &self.spawner };
        let Some(farm) = self.farms.get_mut(&farm) else { return };
        self.busy_with = Some(farm.shared.id);
        farm.due = 0;
        match watched {
            Watched::Line => farm.hear(worker, &hands),
            Watched::Bell => farm.serve(worker, true, &hands),
            Watched::Exit => farm.check_exit(worker, &hands),
            Watched::Pulse => farm.pulse_stopped(worker, &hands),
        }
        self.busy_with = None;
    }

    fn check_guard(&mut self, now: u64) {
        let trouble = self.guard.check(now, &self.poller, &self.spawner);
        self.unguarded(trouble);
    }

    /// Farms that rely on the guard are told that there is none.
    fn unguarded(&self, trouble: Option<String>) {
        let Some(message) = trouble else { return };
        for farm in self.farms.values().filter(|farm| farm.shared.settings.guard.is_some()) {
            farm.shared.post(FarmEvent::Unguarded { message: message.clone() });
        }
    }

    fn command(&mut self, command: Command) {
        let hands = Hands { poller: &self.poller, spawner: &self.spawner };
        let mut with = |farm: u32, act: &mut dyn FnMut(&mut FarmState)| {
            if let Some(farm) = self.farms.get_mut(&farm) {
                self.busy_with = Some(farm.shared.id);
                farm.due = 0;
                act(farm);
            }
        };
        match command {
            Command::Open { shared, line, boot } => {
                self.farms.insert(shared.id, FarmState::new(shared, line, boot));
            }
            Command::Demand { farm, tasks } => with(farm, &mut |farm| farm.handle(Event::Demand(tasks), &hands)),
            Command::Revoked { farm, worker, turn } => {
                with(farm, &mut |farm| farm.handle(Event::Revoked { worker, turn, cause: Cause::Cancel }, &hands))
            }
            Command::Watch { farm } => with(farm, &mut |farm| farm.watch()),
            Command::Kept { farm } => with(farm, &mut |farm| farm.kept()),
            Command::Cool { farm, cooling } => {
                let mut cooling = Some(cooling);
                with(farm, &mut |farm| cooling.take().into_iter().for_each(|cooling| farm.cool(cooling, &hands)))
            }
            Command::Drained { farm, worker } => with(farm, &mut |farm| farm.handle(Event::Drained(worker), &hands)),
            Command::Reload { farm } => with(farm, &mut |farm| {
                assert!(!is_fault_forced(), "asked for by FARM_FORCE_FAULT");
                farm.handle(Event::Reload, &hands);
            }),
            Command::Resize { farm, min, max } => with(farm, &mut |farm| farm.resize(min, max, &hands)),
            Command::Close { farm, by } => with(farm, &mut |farm| farm.handle(Event::Close { by }, &hands)),
            Command::Destroy { farm } => with(farm, &mut |farm| farm.handle(Event::Destroy, &hands)),
            Command::Poison { farm } => with(farm, &mut |farm| farm.poison(&hands)),
            Command::Reset { farm, line } => with(farm, &mut |farm| farm.reset(line.clone(), &hands)),
            Command::Spawned { farm, worker, child } => {
                let mut child = Some(child);
                // A farm waits for all its children, so it is still here unless it has failed.
                with(farm, &mut |farm| {
                    if let Some(child) = child.take() {
                        let guard = farm.shared.settings.guard.as_ref().filter(|_| child.is_ok()).cloned();
                        farm.spawned(worker, child, &hands);
                        // After the worker, which somebody waits for.
                        if let Some(program) = guard {
                            self.guard.want(&program, &self.spawner);
                        }
                    }
                });
                if let Some(Ok(child)) = child {
                    self.bury_stray(child);
                }
            }
            Command::GuardStarted(started) => {
                let trouble = self.guard.started(started, monotonic_ns(), &self.poller);
                self.unguarded(trouble);
            }
            #[cfg(test)]
            Command::Fault { farm: Some(farm) } => with(farm, &mut |_| panic!("a test")),
            #[cfg(test)]
            Command::Fault { farm: None } => panic!("a test"),
        }
        self.busy_with = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{indices, Settings};
    use crate::shared::{FarmLine, Shared};
    use crossbeam::channel::unbounded;
    use farm_transport::{QueueSegment, Segment};
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn a_farm_is_looked_at_when_something_has_happened_to_it_or_is_due() {
        let (commands, received) = unbounded();
        let (spawner, _orders) = unbounded();
        let bell = Arc::new(Doorbell::new().unwrap());
        let mut event_loop = EventLoop::new(Poller::new().unwrap(), received, bell, spawner);
        let open = |id| {
            let settings: Settings = serde_json::from_value(serde_json::json!({
                "min": 0, "max": 1, "lanes": 1, "start": 1, "startAttempts": 3, "spares": 0, "grace": 1, "spin": 0,
                "maxCrashes": 3, "views": true, "maxShared": 1, "program": { "path": "", "args": [], "env": [] },
                "stdout": "ignore", "stderr": "ignore",
            }))
            .unwrap();
            let shared = Arc::new(Shared::new(id, settings, unbounded().0).unwrap());
            let requests = Arc::new(Segment::create("farm-requests", 4096).unwrap());
            let line = Arc::new(FarmLine { queue: QueueSegment::create(indices(1, 0)).unwrap(), requests });
            commands.send(Command::Open { shared: shared.clone(), line, boot: Arc::from([]) }).unwrap();
            shared
        };
        let farms = [open(1), open(2)];
        assert_eq!(event_loop.turn(&[]), u64::MAX);
        // A look at a farm says when the next one is.
        let looked_at = || farms.each_ref().map(|farm| farm.next_look.swap(7, SeqCst) != 7);
        assert_eq!(looked_at(), [true, true]);
        event_loop.turn(&[]);
        assert_eq!(looked_at(), [false, false]);
        commands.send(Command::Watch { farm: 2 }).unwrap();
        let next = event_loop.turn(&[]);
        assert_eq!(looked_at(), [false, true]);
        assert!(next < u64::MAX, "its look around is due");
        while monotonic_ns() < next {
            std::thread::yield_now();
        }
        event_loop.turn(&[]);
        assert_eq!(looked_at(), [false, true]);
    }
}
