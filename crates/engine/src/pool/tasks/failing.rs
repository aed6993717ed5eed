//! What a failed attempt does to its task, and how the task comes back.

use super::retry::Verdict;
use super::{Failure, Fate, Holder, Loss, Moment, State, Tasks};

/// Times a task may be lost before it was started without that counting as an attempt.
pub(super) const FREE_LOSSES: u8 = 3;

impl Tasks {
    /// Which attempt of the task is under way or next; 1 for the first.
    pub fn attempt(&self, id: u32) -> u32 {
        match self.table[id as usize].tried {
            true => self.trials.attempt(id),
            false => 1,
        }
    }

    /// True for a task that may be tried again, whose arguments must last until it is settled.
    pub fn is_tried(&self, id: u32) -> bool {
        self.table.get(id as usize).is_some_and(|task| task.tried)
    }

    /// Whether `failed` would try this task again.
    pub fn would_retry(&self, id: u32, failure: Failure) -> bool {
        let verdict = || self.trials.judge(id, failure, self.max_crashes, Moment { now: 0, jitter: 0 });
        self.is_tried(id) && matches!(verdict(), Verdict::After(_))
    }

    /// An attempt has failed. After a timeout its worker still holds the slot, otherwise the slot is free.
    pub fn failed(&mut self, slot: u32, turn: u64, failure: Failure, moment: Moment) -> Fate {
        let Some(id) = self.task_at(slot, turn) else { return Fate::Unknown };
        match failure {
            Failure::Timeout => self.leave_slot(slot),
            Failure::Exit | Failure::Error => self.give_slot(slot),
        }
        self.judge(id, failure, moment)
    }

    fn judge(&mut self, id: u32, failure: Failure, moment: Moment) -> Fate {
        match self.trials.judge(id, failure, self.max_crashes, moment) {
            Verdict::Final { quarantined } => {
                self.vacate(id);
                Fate::Rejected { id, quarantined }
            }
            Verdict::After(until) => {
                let place = self.new_place();
                self.trials.count(id, failure);
                self.trials.rest(id, place, until);
                let task = &mut self.table[id as usize];
                task.state = State::Resting;
                task.again = true;
                self.resting += 1;
                task.place = place;
                Fate::Retried(id)
            }
        }
    }

    /// The worker that held this publication is gone.
    pub fn lost(&mut self, slot: u32, turn: u64, loss: Loss, moment: Moment) -> Fate {
        let id = match self.holder(slot, turn) {
            Holder::Nobody => return Fate::Unknown,
            Holder::Settled => {
                self.give_slot(slot);
                return Fate::Settled;
            }
            Holder::Task(id) => id,
        };
        self.give_slot(slot);
        let losses = self.table[id as usize].losses;
        match loss {
            Loss::Unstarted if losses < FREE_LOSSES => {
                self.table[id as usize].losses += 1;
                self.wait(id, true);
                Fate::Requeued(id)
            }
            Loss::Collateral if self.trials.covers(id, Failure::Exit) => {
                self.wait(id, true);
                Fate::Requeued(id)
            }
            Loss::Collateral => {
                self.vacate(id);
                Fate::Rejected { id, quarantined: false }
            }
            Loss::Unstarted | Loss::Started => self.judge(id, Failure::Exit, moment),
        }
    }

    /// When `tick` is due, if ever.
    pub fn deadline(&mut self) -> Option<u64> {
        let Tasks { trials, table, .. } = self;
        trials.deadline(|id, place| {
            let task = &table[id as usize];
            task.state == State::Resting && task.place == place
        })
    }

    /// Tasks whose back-off has ended wait again, before all others of their priority.
    pub fn tick(&mut self, now: u64) {
        for (id, place) in self.trials.due(now) {
            let task = &self.table[id as usize];
            if task.state == State::Resting && task.place == place {
                self.resting -= 1;
                self.wait(id, false);
            }
        }
    }

    /// From now on no failed task is tried again; those that rest are settled by this call.
    pub fn end_retries(&mut self) -> Vec<u32> {
        self.trials.ended = true;
        let resting: Vec<u32> =
            (0..self.table.len() as u32).filter(|id| self.table[*id as usize].state == State::Resting).collect();
        for id in &resting {
            self.vacate(*id);
        }
        self.resting = 0;
        resting
    }
}
