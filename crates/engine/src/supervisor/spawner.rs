//! The spawner: starts children and does nothing else. `posix_spawn` returns only when the child has executed its program,
//! which can take seconds on a slow disk; no deadline may wait for that. The thread never ends, because the children's
//! parent-death signal is bound to it.

use super::command::{Command, Inbox};
use super::guard_process;
use crossbeam::channel::{unbounded, Sender};
use farm_sys::{spawn, Child, Error, Result, SpawnPlan};

const SIGKILL: i32 = 9;

pub enum Order {
    /// `guarded`: its process group ends with this process.
    Worker { farm: u32, worker: usize, plan: Box<SpawnPlan>, guarded: bool },
    /// The guard of this process.
    Guard { program: String },
}

pub fn start(supervisor: Inbox) -> Result<Sender<Order>> {
    let (orders, received) = unbounded::<Order>();
    std::thread::Builder::new()
        .name("farm-spawner".into())
        .spawn(move || {
            // The supervisor keeps the other end for ever.
            while let Ok(order) = received.recv() {
                supervisor.tell(match order {
                    Order::Worker { farm, worker, plan, guarded } => {
                        let child = spawn(&plan).and_then(|child| if guarded { list(child) } else { Ok(child) });
                        Command::Spawned { farm, worker, child }
                    }
                    Order::Guard { program } => Command::GuardStarted(guard_process::start(&program)),
                });
            }
        })
        .map_err(|error| Error::system("thread", error))?;
    Ok(orders)
}

/// From here on the guard knows of it.
fn list(child: Child) -> Result<Child> {
    let listed = guard_process::groups().and_then(|groups| {
        child.start_of_groups().map_or(Ok(()), |start| groups.list_cgroups(&start))?;
        groups.list(child.pid())
    });
    if let Err(error) = listed {
        let _ = child.signal(SIGKILL);
        child.wait();
        return Err(error);
    }
    Ok(child)
}
