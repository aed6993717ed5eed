//! What the supervisor is told, and the way in for everybody else.

use super::guard_process::Started;
use crate::shared::{FarmLine, Shared};
use crossbeam::channel::Sender;
use farm_sys::{Child, Doorbell};
use farm_transport::Cooling;
use std::sync::Arc;

/// To the supervisor.
pub enum Command {
    Open {
        shared: Arc<Shared>,
        line: Arc<FarmLine>,
        boot: Arc<[u8]>,
    },
    Demand {
        farm: u32,
        tasks: usize,
    },
    /// A task of this worker was revoked by its caller.
    Revoked {
        farm: u32,
        worker: usize,
        turn: u64,
    },
    /// There are open tasks, or a deadline nearer than the next look.
    Watch {
        farm: u32,
    },
    /// Blocks came back to an arena.
    Kept {
        farm: u32,
    },
    /// Free blocks of the request arena, or what a worker that is gone has left, whose memory is to go back to the system.
    Cool {
        farm: u32,
        cooling: Cooling,
    },
    /// The JavaScript thread has handled the exit of this worker.
    Drained {
        farm: u32,
        worker: usize,
    },
    /// Replaces all workers, one by one.
    Reload {
        farm: u32,
    },
    Resize {
        farm: u32,
        min: usize,
        max: usize,
    },
    Close {
        farm: u32,
        by: u64,
    },
    Destroy {
        farm: u32,
    },
    /// Somebody wrote over the shared queue.
    Poison {
        farm: u32,
    },
    /// New segments after that.
    Reset {
        farm: u32,
        line: Arc<FarmLine>,
    },
    Spawned {
        farm: u32,
        worker: usize,
        child: farm_sys::Result<Child>,
    },
    GuardStarted(farm_sys::Result<Started>),
    /// Panics, while it is busy with this farm or with none.
    #[cfg(test)]
    Fault {
        farm: Option<u32>,
    },
}

/// The writing end of the supervisor's inbox.
#[derive(Clone)]
pub struct Inbox {
    pub commands: Sender<Command>,
    pub bell: Arc<Doorbell>,
}

impl Inbox {
    pub fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
        self.bell.ring();
    }
}
