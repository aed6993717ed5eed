//! THE SUPERVISOR: does what `pool::workers` decides. One thread per process for all farms: it watches children, looks at
//! deadlines, climbs the kill ladder. It never blocks; starting children has a thread of its own (`spawner`).

mod command;
mod deadlines;
mod event_loop;
mod failure;
mod farm_state;
mod forked;
mod greeting;
mod guard;
mod guard_process;
mod limits;
mod lookout;
mod panic;
mod pulse;
mod quiet;
mod recycle;
mod remains;
mod resize;
#[cfg(test)]
mod rule_breakers_tests;
mod spawner;
mod start;
mod wedge;
mod worker;

pub use command::{Command, Inbox};

use crate::once::Once;
use crossbeam::channel::unbounded;
use farm_sys::{take_turns, Doorbell, Poller};
use std::sync::Arc;

/// Turns of our threads on a CPU, ns: they have little to do, and others wait for it.
const TURN: u64 = 200_000;

/// The supervisor of this process, started with the first farm.
pub fn supervisor() -> farm_sys::Result<&'static Inbox> {
    static SUPERVISOR: Once<Inbox> = Once::new();
    SUPERVISOR.get_or_make(|| {
        let (sender, commands) = unbounded();
        let bell = Arc::new(Doorbell::new()?);
        let poller = Poller::new()?;
        poller.add(bell.fd(), event_loop::BELL)?;
        let inbox = Inbox { commands: sender, bell: bell.clone() };
        // Inherited: a thread that takes them itself has to wait for its first turn before.
        let usual = take_turns(TURN);
        let started = spawner::start(inbox.clone(), usual).and_then(|spawner| {
            std::thread::Builder::new()
                .name("farm-supervisor".into())
                .spawn(move || event_loop::EventLoop::new(poller, commands, bell, spawner).run())
                .map_err(|error| farm_sys::Error::system("thread", error))
        });
        take_turns(usual);
        started.map(|_| inbox)
    })
}
