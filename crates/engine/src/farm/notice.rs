//! Short frames of a worker beside its replies: a view that is freed, a task that is started, a task that is let go.

use super::drain::{Broken, Drained};
use super::worker_end::WorkerEnd;
use super::Farm;
use farm_transport::frame::{reply, word};
use farm_transport::{Entry, Kind, State};

impl Farm {
    pub(super) fn take_notice(
        &mut self,
        index: usize,
        worker: &WorkerEnd,
        tag: u32,
        len: usize,
        out: &mut [u8],
        drained: &mut Drained,
    ) -> Result<(), Broken> {
        let mut raw = [0; 16];
        let known = len.min(raw.len());
        worker.replies.read(0, &mut raw[..known]);
        if tag == reply::VIEW_FREED {
            let block = self.lent.view_freed(word(&raw, 0), index);
            self.give(block);
            return Ok(());
        }
        if tag == reply::STARTED {
            self.take_start(index, &raw, out, drained);
            return Ok(());
        }
        let entry = Entry(word(&raw, 0));
        if let Some(id) = self.tasks.task_at(entry.slot(), entry.turn()) {
            // Only a revoked task is released, and revoking settles; but the worker may be faster than the news that the
            // supervisor revoked it, which it does for a timeout only.
            let state = self.line.queue.queue.state(entry.slot());
            let released = state == State::new(entry.turn(), index as u16, Kind::Released);
            if !released || self.records[id as usize].timeout == 0 {
                return Err(Broken);
            }
            self.timed_out(entry.slot(), entry.turn());
        }
        if self.tasks.released(entry.slot(), entry.turn()) {
            self.unpublish(entry.slot());
            self.slot_released(entry.turn(), Some(index));
        }
        Ok(())
    }
}
