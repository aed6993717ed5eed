//! The supervisor's thread: one poll, then what came in, then what is due.

use super::command::Command;
use super::farm_state::{of_token, FarmState, Hands, Watched};
use super::guard::{Guard, GUARD};
use super::remains::Remains;
use super::spawner::Order;
use crate::pool::workers::{Cause, Event};
use crate::shared::FarmEvent;
use crossbeam::channel::{Receiver, Sender};
use farm_sys::{monotonic_ns, Doorbell, Poller};
use std::collections::HashMap;
use std::sync::Arc;

/// The poller's token of the supervisor's own doorbell.
pub const BELL: u64 = u64::MAX;

pub struct EventLoop {
    poller: Poller,
    commands: Receiver<Command>,
    bell: Arc<Doorbell>,
    spawner: Sender<Order>,
    farms: HashMap<u32, FarmState>,
    guard: Guard,
    remains: Remains,
}

impl EventLoop {
    pub fn new(poller: Poller, commands: Receiver<Command>, bell: Arc<Doorbell>, spawner: Sender<Order>) -> Self {
        let (farms, guard, remains) = (HashMap::new(), Guard::default(), Remains::default());
        EventLoop { poller, commands, bell, spawner, farms, guard, remains }
    }

    pub fn run(mut self) {
        let mut ready = Vec::new();
        let mut next = u64::MAX;
        loop {
            let timeout = (next != u64::MAX).then(|| next.saturating_sub(monotonic_ns()));
            ready.clear();
            if self.poller.wait(&mut ready, timeout).is_err() {
                // A poller that fails for good would leave every worker without supervision: end them instead.
                return;
            }
            for token in &ready {
                self.event(*token);
            }
            self.bell.clear();
            while let Ok(command) = self.commands.try_recv() {
                self.command(command);
            }
            let hands = Hands { poller: &self.poller, spawner: &self.spawner };
            next = self.farms.values_mut().map(|farm| farm.tick(&hands)).min().unwrap_or(u64::MAX);
            self.farms.retain(|_, farm| !farm.closed);
            next = next.min(self.remains.tick(monotonic_ns()));
            if self.remains.are_gone() && !self.farms.values().any(|farm| farm.shared.settings.guard.is_some()) {
                self.guard.stop();
            }
            let now = monotonic_ns();
            if self.guard.next_look(now) < u64::MAX {
                self.check_guard(now);
            }
            next = next.min(self.guard.next_look(now));
        }
    }

    fn event(&mut self, token: u64) {
        match token {
            BELL => return,
            GUARD => {
                return self.check_guard(monotonic_ns());
            }
            _ => {}
        }
        let (farm, worker, watched) = of_token(token);
        let hands = Hands { poller: &self.poller, spawner: &self.spawner };
        let Some(farm) = self.farms.get_mut(&farm) else { return };
        match watched {
            Watched::Line => farm.hear(worker, &hands),
            Watched::Bell => farm.serve(worker, true, &hands),
            Watched::Exit => farm.check_exit(worker, &hands),
            Watched::Pulse => farm.pulse_stopped(worker, &hands),
        }
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
            Command::Drained { farm, worker } => with(farm, &mut |farm| farm.handle(Event::Drained(worker), &hands)),
            Command::Reload { farm } => with(farm, &mut |farm| farm.handle(Event::Reload, &hands)),
            Command::Resize { farm, min, max } => with(farm, &mut |farm| farm.resize(min, max, &hands)),
            Command::Close { farm, by } => with(farm, &mut |farm| farm.handle(Event::Close { by }, &hands)),
            Command::Destroy { farm } => with(farm, &mut |farm| farm.handle(Event::Destroy, &hands)),
            Command::Poison { farm } => with(farm, &mut |farm| farm.poison(&hands)),
            Command::Reset { farm, line } => with(farm, &mut |farm| farm.reset(line.clone(), &hands)),
            Command::Spawned { farm, worker, child } => {
                let mut child = Some(child);
                // The farm waits for all its children, so it is still here; otherwise the line's end ends the child.
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
            }
            Command::GuardStarted(started) => {
                let trouble = self.guard.started(started, monotonic_ns(), &self.poller);
                self.unguarded(trouble);
            }
        }
    }
}
