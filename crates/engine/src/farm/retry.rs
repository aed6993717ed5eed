//! Attempts that have failed: the task is tried again, or settled.

use super::frames::Ran;
use super::settled::{self, RETRIED};
use super::Farm;
use crate::pool::tasks::{Failure, Fate, Loss, Moment};
use crate::process::ExitRecord;
use farm_sys::monotonic_ns;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering::*;

/// The kind of a frame about an attempt that is not the last.
pub(super) fn retried(kind: u32, worker: usize) -> u32 {
    kind | RETRIED | (worker as u32 + 1) << 16
}

impl Farm {
    fn moment(&self, turn: u64) -> Moment {
        Moment { now: monotonic_ns(), jitter: self.chance.hash_one(turn) }
    }

    /// A publication that a dead worker held.
    pub(super) fn lost(&mut self, slot: u32, turn: u64, started: bool, record: &ExitRecord) {
        let loss = match record.killed_for {
            // What never started would be taken out of its slot again, which is not to be trusted after a poisoning.
            _ if !started && !self.poisoned => Loss::Unstarted,
            Some("cancel" | "timeout") => Loss::Collateral,
            _ => Loss::Started,
        };
        let mut record = record.clone();
        record.started = loss != Loss::Unstarted;
        let ran = if self.listeners.ends && record.started { self.ran(slot, turn) } else { None };
        match self.tasks.lost(slot, turn, loss, self.moment(turn)) {
            Fate::Unknown => return,
            Fate::Settled => self.slot_released(turn, None),
            Fate::Rejected { id, quarantined } => {
                self.task_over(id, None);
                (record.collateral, record.quarantined) = (loss == Loss::Collateral, quarantined);
                self.tell_life(id, settled::LIFE, ran);
                self.verdict(id, settled::LOST, serde_json::to_vec(&record).unwrap_or_default());
            }
            Fate::Requeued(id) => {
                self.lent.requeued(id);
                self.keep_payload(id, slot);
                if loss == Loss::Collateral {
                    self.tell_life(id, settled::REQUEUED, ran);
                    self.records[id as usize].header.claim_by = 0;
                }
            }
            Fate::Retried(id) => {
                self.tell_life(id, settled::LIFE, ran);
                self.prepare_retry(id);
                let kind = settled::LOST | RETRIED;
                self.verdict(id, kind, serde_json::to_vec(&record).unwrap_or_default());
            }
        }
        self.unpublish(slot);
    }

    /// The supervisor has revoked a task that ran too long; its worker still holds the slot.
    pub(super) fn timed_out(&mut self, slot: u32, turn: u64) {
        let worker = usize::from(self.line.queue.queue.state(slot).owner());
        let ran = if self.listeners.ends { self.ran_out(slot, turn, worker) } else { None };
        match self.tasks.failed(slot, turn, Failure::Timeout, self.moment(turn)) {
            Fate::Rejected { id, .. } => {
                self.detach_task(id, turn);
                self.shared.settled.fetch_add(1, Relaxed);
                self.tell_life(id, settled::LIFE, ran);
                self.verdict(id, settled::TIMED_OUT, Vec::new());
            }
            Fate::Retried(id) => {
                self.tell_life(id, settled::LIFE, ran);
                self.prepare_retry(id);
                self.verdict(id, retried(settled::TIMED_OUT, worker), Vec::new());
            }
            _ => {}
        }
    }

    /// As `ran`, of a task that has timed out, of which its worker may have let go since.
    fn ran_out(&self, slot: u32, turn: u64, worker: usize) -> Option<Ran> {
        let id = self.tasks.task_at(slot, turn)?;
        let timeout = self.records[id as usize].timeout;
        self.ran(slot, turn).or(Some(Ran { worker, since: monotonic_ns().saturating_sub(timeout), ran: timeout }))
    }

    /// The task's code threw, and it is tried again.
    pub(super) fn threw(&mut self, slot: u32, turn: u64) {
        if let Fate::Retried(id) = self.tasks.failed(slot, turn, Failure::Error, self.moment(turn)) {
            self.prepare_retry(id);
        }
        self.unpublish(slot);
    }

    fn prepare_retry(&mut self, id: u32) {
        self.lent.requeued(id);
        let header = &mut self.records[id as usize].header;
        header.attempt = self.tasks.attempt(id);
        // That limit was for the first start.
        header.claim_by = 0;
    }

    /// Publishes the tasks whose back-off has ended. Returns when to come again, ns from now.
    pub fn tick(&mut self) -> Option<u64> {
        let now = monotonic_ns();
        if self.tasks.deadline().is_some_and(|at| at <= now) {
            self.tasks.tick(now);
            let reordered = self.reorder();
            let published = reordered + self.publish_waiting();
            self.published(published);
        }
        self.tasks.deadline().map(|at| at.saturating_sub(now))
    }

    /// From now on nothing is tried again; what waits for its next try is settled as it has failed last.
    pub fn end_retries(&mut self) {
        for id in self.tasks.end_retries() {
            self.task_over(id, None);
            self.tell_life(id, settled::LIFE, None);
            self.verdict(id, settled::NOT_RETRIED, Vec::new());
        }
        self.shared.open.store(self.tasks.open() as u64, SeqCst);
    }
}
