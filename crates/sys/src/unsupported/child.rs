//! Children and the bond to a parent.

use super::{unsupported, Fd, Never};
use crate::{ExitStatus, Result, SpawnPlan};

#[derive(Debug)]
pub struct Child(Never);

pub fn spawn(_plan: &SpawnPlan, _turns: u64) -> Result<Child> {
    Err(unsupported("starting a worker"))
}

impl Child {
    pub fn pid(&self) -> i32 {
        match self.0 {}
    }

    pub fn exit_fd(&self) -> Option<&Fd> {
        match self.0 {}
    }

    pub fn lose_exit_fd(&mut self) {
        match self.0 {}
    }

    pub fn signal(&self, _number: i32) -> Result<()> {
        match self.0 {}
    }

    pub fn ran_out_of_group_memory(&self) -> bool {
        match self.0 {}
    }

    pub fn kill_tree(&self) {
        match self.0 {}
    }

    pub fn start_of_groups(&self) -> Option<Vec<u8>> {
        match self.0 {}
    }

    pub fn is_ours(&self) -> bool {
        match self.0 {}
    }

    pub fn has_ended(&self) -> bool {
        match self.0 {}
    }

    pub fn wait(&self) {
        match self.0 {}
    }

    pub fn reap(&self) -> Option<ExitStatus> {
        match self.0 {}
    }
}

pub fn die_with_parent(_parent: i32) -> Result<bool> {
    Err(unsupported("ending a worker with its parent"))
}

/// There are no signals to ignore.
pub fn ignore_interrupts() {}

/// A wish that a scheduler may not know.
pub fn take_turns(_ns: u64) -> u64 {
    0
}

pub fn watch_line(_line: &Fd, _heard: impl FnMut(&[u8]) + Send + 'static) -> Result<()> {
    Err(unsupported("ending a worker with its parent"))
}

pub fn give_pulse(_line: &Fd, _message: &'static [u8]) -> Result<()> {
    Err(unsupported("telling of an end before it"))
}

pub fn make_room() -> Result<()> {
    Err(unsupported("a table of descriptors"))
}
