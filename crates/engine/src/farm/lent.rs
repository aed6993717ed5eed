//! Which blocks of the request arena are in whose hands. A payload's block is free when its task is over; an attachment's
//! when the task is over and the worker that may hold a view of it has said that it is done, or is gone.

use std::collections::HashMap;

pub type Block = (u64, u64);

#[derive(Debug)]
struct Attachment {
    len: u64,
    task_over: bool,
    worker_done: bool,
    worker: Option<usize>,
}

#[derive(Debug, Default)]
struct Holding {
    block: Option<Block>,
    attachments: Vec<u64>,
}

#[derive(Debug, Default)]
pub struct Lent {
    attachments: HashMap<u64, Attachment>,
    /// By task number, until it is settled.
    tasks: HashMap<u32, Holding>,
    /// By turn: the task is settled, a worker still has its slot.
    detached: HashMap<u64, Holding>,
}

impl Lent {
    pub fn add(&mut self, at: u64, len: u64) {
        self.attachments.insert(at, Attachment { len, task_over: false, worker_done: false, worker: None });
    }

    /// Forgets an attachment that never belonged to a task; its length.
    pub fn forget(&mut self, at: u64) -> Option<u64> {
        self.attachments.remove(&at).map(|attachment| attachment.len)
    }

    pub fn assign(&mut self, id: u32, block: Option<Block>, attachments: Vec<u64>) {
        self.tasks.insert(id, Holding { block, attachments });
    }

    pub fn requeued(&mut self, id: u32) {
        for at in self.tasks.get(&id).map(|holding| holding.attachments.clone()).unwrap_or_default() {
            if let Some(attachment) = self.attachments.get_mut(&at) {
                attachment.worker_done = false;
            }
        }
    }

    pub fn detach(&mut self, id: u32, turn: u64) {
        if let Some(holding) = self.tasks.remove(&id) {
            self.detached.insert(turn, holding);
        }
    }

    /// Blocks that are free now. `worker`: the one that may still hold views.
    #[must_use]
    pub fn task_over(&mut self, id: u32, worker: Option<usize>) -> Vec<Block> {
        self.tasks.remove(&id).map(|holding| self.over(holding, worker)).unwrap_or_default()
    }

    #[must_use]
    pub fn released(&mut self, turn: u64, worker: Option<usize>) -> Vec<Block> {
        self.detached.remove(&turn).map(|holding| self.over(holding, worker)).unwrap_or_default()
    }

    /// No worker holds any slot any more.
    #[must_use]
    pub fn all_released(&mut self) -> Vec<Block> {
        let detached = std::mem::take(&mut self.detached);
        detached.into_values().flat_map(|holding| self.over(holding, None)).collect()
    }

    fn over(&mut self, holding: Holding, worker: Option<usize>) -> Vec<Block> {
        let mut free: Vec<Block> = holding.block.into_iter().collect();
        for at in holding.attachments {
            let Some(attachment) = self.attachments.get_mut(&at) else { continue };
            attachment.task_over = true;
            attachment.worker = worker;
            if attachment.worker_done || worker.is_none() {
                free.push((at, attachment.len));
                self.attachments.remove(&at);
            }
        }
        free
    }

    /// A worker says that nobody in it looks at this attachment any more.
    #[must_use]
    pub fn view_freed(&mut self, at: u64, worker: usize) -> Option<Block> {
        let attachment = self.attachments.get_mut(&at)?;
        if attachment.task_over && attachment.worker != Some(worker) {
            return None;
        }
        attachment.worker_done = true;
        if !attachment.task_over {
            return None;
        }
        let len = attachment.len;
        self.attachments.remove(&at);
        Some((at, len))
    }

    /// A worker is gone: its views are.
    #[must_use]
    pub fn worker_gone(&mut self, worker: usize) -> Vec<Block> {
        let gone: Vec<Block> = self
            .attachments
            .iter()
            .filter(|(_, attachment)| attachment.task_over && attachment.worker == Some(worker))
            .map(|(at, attachment)| (*at, attachment.len))
            .collect();
        for (at, _) in &gone {
            self.attachments.remove(at);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_is_free_when_task_and_worker_are_done_in_either_order() {
        let mut lent = Lent::default();
        for at in [0, 64] {
            lent.add(at, 10);
        }
        lent.assign(1, Some((512, 100)), vec![0, 64]);
        assert_eq!(lent.view_freed(0, 3), None);
        assert_eq!(lent.task_over(1, Some(3)), [(512, 100), (0, 10)]);
        assert_eq!(lent.view_freed(64, 4), None, "another worker has no say in it");
        assert_eq!(lent.view_freed(64, 3), Some((64, 10)));
        assert_eq!(lent.view_freed(64, 3), None);
    }

    #[test]
    fn a_dead_worker_holds_nothing() {
        let mut lent = Lent::default();
        lent.add(0, 10);
        lent.assign(1, None, vec![0]);
        assert_eq!(lent.task_over(1, Some(2)), []);
        assert_eq!(lent.worker_gone(1), []);
        assert_eq!(lent.worker_gone(2), [(0, 10)]);
    }

    #[test]
    fn a_settled_task_keeps_its_blocks_until_the_slot_is_back() {
        let mut lent = Lent::default();
        lent.assign(1, Some((512, 100)), Vec::new());
        lent.detach(1, 77);
        assert_eq!(lent.task_over(1, None), []);
        assert_eq!(lent.released(77, Some(0)), [(512, 100)]);
    }
}
