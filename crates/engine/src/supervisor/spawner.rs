//! The spawner: starts children and does nothing else. `posix_spawn` returns only when the child has executed its program,
//! which can take seconds on a slow disk; no deadline may wait for that. The thread never ends, because the children's
//! parent-death signal is bound to it.

use super::command::{Command, Inbox};
use crossbeam::channel::{unbounded, Sender};
use farm_sys::{spawn, Error, Result, SpawnPlan};

pub struct Order {
    pub farm: u32,
    pub worker: usize,
    pub plan: SpawnPlan,
}

pub fn start(supervisor: Inbox) -> Result<Sender<Order>> {
    let (orders, received) = unbounded::<Order>();
    std::thread::Builder::new()
        .name("farm-spawner".into())
        .spawn(move || {
            // The supervisor keeps the other end for ever.
            while let Ok(Order { farm, worker, plan }) = received.recv() {
                let child = spawn(&plan);
                supervisor.tell(Command::Spawned { farm, worker, child });
            }
        })
        .map_err(|error| Error::system("thread", error))?;
    Ok(orders)
}
