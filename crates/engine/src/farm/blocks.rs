//! Blocks of shared memory as the JavaScript thread handles them: taken for arguments, given back, and left to cool when
//! nobody has wanted them for a while.

use super::lent::Block;
use super::Farm;
use crate::shared::WorkerLine;
use crate::supervisor::Command;
use farm_transport::Cooling;
use std::sync::atomic::Ordering::*;
use std::sync::Weak;

impl Farm {
    pub(super) fn admits(&mut self, bytes: u64) -> bool {
        self.budget.admits(&mut self.requests, bytes)
    }

    /// Copies bytes that travel beside a payload into shared memory; `None` when there is none left for them.
    pub fn attach(&mut self, bytes: &[u8]) -> Option<u64> {
        if !self.admits(bytes.len() as u64) {
            return None;
        }
        let at = self.requests.store(&[bytes])?;
        self.lent.add(at, bytes.len() as u64);
        Some(at)
    }

    /// Gives back what `attach` gave to a task that is not submitted after all.
    pub fn detach(&mut self, at: u64) {
        if let Some(len) = self.lent.forget(at) {
            self.give([(at, len)]);
        }
    }

    /// These blocks of the request arena are free again.
    pub(super) fn give(&mut self, blocks: impl IntoIterator<Item = Block>) {
        let mut given = 0;
        for (at, len) in blocks {
            self.requests.give(at, len);
            given += 1;
        }
        if given > 0 {
            self.shared.returns.count(given);
            self.blocks_came_back();
        }
    }

    /// Some arena has blocks that it had not, and keeps their memory for the next ones. The supervisor knows when it was long
    /// enough; it is told once, until it has looked.
    pub(super) fn blocks_came_back(&self) {
        if !self.shared.kept.load(Relaxed) && !self.shared.kept.swap(true, AcqRel) {
            self.supervisor.tell(Command::Kept { farm: self.shared.id });
        }
    }

    /// An arena was quiet for a while: what it keeps goes back to the system, on another thread.
    pub(super) fn quiet(&mut self) {
        // The worker has made room by now, or does so before the next time.
        let flushed = self.workers.iter_mut().flatten().filter_map(|worker| worker.flush().then_some(())).count();
        if flushed > 0 {
            self.blocks_came_back();
        }
        if let Some(cooling) = self.requests.lend() {
            self.cool(cooling);
        }
    }

    pub(super) fn cool(&self, cooling: Cooling) {
        self.supervisor.tell(Command::Cool { farm: self.shared.id, cooling });
    }

    /// Bytes of memory that its segments take now.
    pub(super) fn touched(&self) -> u64 {
        let theirs = |line: &WorkerLine| line.arena.touched() + line.own.segment().touched();
        let workers = self.workers.iter().flatten().map(|worker| theirs(&worker.line));
        let left = self.left.iter().filter_map(Weak::upgrade).map(|line| theirs(&line));
        self.requests.segment().touched() + self.line.queue.segment().touched() + workers.chain(left).sum::<u64>()
    }
}
