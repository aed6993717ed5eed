//! How tasks end other than by a reply: given up by their caller, lost with their worker, or all at once.

use super::{settled, End, Farm};
use crate::pool::tasks::Cancel;
use crate::supervisor::Command;
use farm_transport::frame::mail;
use farm_transport::{Entry, Kind};
use std::sync::atomic::Ordering::*;

impl Farm {
    /// The caller gives a task up. It is settled on the JavaScript side already; here its place is cleared, or the worker
    /// that runs it is told. False when it is settled already and its frame on the way.
    pub fn cancel(&mut self, id: u32, end: End, reason: &[u8]) -> bool {
        match self.tasks.cancel(id) {
            Cancel::Unknown => return false,
            Cancel::Dropped => {
                // News of an attempt would be taken for that of the number's next task.
                self.verdicts.retain(|(of, ..)| *of != id);
                self.task_over(id, None);
            }
            Cancel::Published { slot, turn } => self.cancel_published(id, slot, turn, reason),
        }
        self.stats.ended(end);
        self.shared.open.store(self.tasks.open() as u64, SeqCst);
        self.fill_up();
        true
    }

    /// Takes a task back that has waited too long, if no worker has started it.
    pub fn withdraw(&mut self, id: u32) -> bool {
        if self.records.get(id as usize).is_none_or(|record| record.header.claim_by == 0) {
            // The time counts until the first start; it waits once more.
            return false;
        }
        match self.tasks.publication(id) {
            None => self.cancel(id, End::QueueTimedOut, &[]),
            Some((slot, turn)) => {
                let withdrawn = self.line.queue.queue.withdraw(slot, turn);
                if withdrawn {
                    self.take_back(id, slot, turn);
                    self.stats.ended(End::QueueTimedOut);
                    self.shared.open.store(self.tasks.open() as u64, SeqCst);
                    self.fill_up();
                }
                withdrawn
            }
        }
    }

    /// Where publications were taken back there is room for others, and perhaps no reply to come that would bring them in.
    /// Not at once: the caller may be about to give those up too.
    fn fill_up(&self) {
        if self.tasks.waiting() > 0 {
            self.shared.parent_bell.ring();
        }
    }

    fn take_back(&mut self, id: u32, slot: u32, turn: u64) {
        self.tasks.withdrawn(slot, turn);
        self.unpublish(slot);
        self.task_over(id, None);
    }

    fn cancel_published(&mut self, id: u32, slot: u32, turn: u64, reason: &[u8]) {
        let queue = &self.line.queue.queue;
        if queue.withdraw(slot, turn) {
            self.take_back(id, slot, turn);
            return;
        }
        let state = queue.state(slot);
        let worker = state.owner();
        let revoked = state.kind() == Kind::Claimed && queue.revoke(slot, turn, worker);
        // Revoked or just done: either way the worker's word about it is still to come and frees the slot.
        self.tasks.detach(slot, turn);
        self.detach_task(id, turn);
        if revoked && !self.shared.has_worker(worker) {
            // Somebody else has written that.
            self.poison();
        } else if revoked {
            if let Some(Some(end)) = self.workers.get_mut(usize::from(worker)) {
                let task = Entry::new(turn, slot).0.to_le_bytes();
                // Where the reason finds no room, the word alone may.
                if !end.mail.push(mail::CANCEL, &[&task, reason]) {
                    end.mail.push(mail::CANCEL, &[&task]);
                }
                self.shared.ring(worker);
            }
            self.supervisor.tell(Command::Revoked { farm: self.shared.id, worker: usize::from(worker), turn });
        }
    }

    /// Kills all workers now. Every open task is settled as closed.
    pub fn destroy(&mut self) {
        self.closing = true;
        // What was decided and is not told yet never will be: those callers hear that the farm is closed, too.
        for (_, kind, _) in &self.verdicts {
            self.stats.closed_instead(*kind);
        }
        self.settle_all(settled::CLOSED);
        self.supervisor.tell(Command::Destroy { farm: self.shared.id });
    }

    /// Settles every open task in one way.
    pub fn settle_all(&mut self, kind: u32) {
        let given = self.tasks.give_up();
        for (id, publication) in given.tasks {
            match publication {
                Some(turn) => self.detach_task(id, turn),
                None => self.task_over(id, None),
            }
            self.tell_life(id, settled::LIFE, None);
            self.verdict(id, kind, Vec::new());
        }
        for (slot, turn) in given.published {
            if self.line.queue.queue.withdraw(slot, turn) {
                self.tasks.released(slot, turn);
                self.slot_released(turn, None);
                self.unpublish(slot);
            }
        }
        self.shared.open.store(0, SeqCst);
    }
}
