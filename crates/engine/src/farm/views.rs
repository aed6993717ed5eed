//! Blocks of workers' arenas that JavaScript looks at in place, while their worker lives and afterwards.

use super::drain::{Broken, Handover, ViewKey};
use super::worker_end::WorkerEnd;
use super::Farm;
use crate::shared::WorkerLine;
use farm_transport::frame::Attachment;
use farm_transport::{Cooling, Segment};
use std::sync::Arc;

/// Views of replies that user code may hold at a time, in bytes; above it replies are copied.
const VIEW_BUDGET: u64 = 512 << 20;

impl Farm {
    pub(super) fn hand_over(
        &mut self,
        index: usize,
        worker: &mut WorkerEnd,
        arena: &Segment,
        row: Attachment,
    ) -> Result<Handover, Broken> {
        let Attachment { at, len } = row;
        // The arena is sparse: what may be in it is less than its length, which may be more than the machine has.
        if len > self.shared.settings.max_shared || arena.range(at, len as usize).is_err() {
            return Err(Broken);
        }
        if self.shared.settings.views && self.view_bytes + len <= VIEW_BUDGET {
            if !worker.views.show(at, len) {
                return Err(Broken);
            }
            self.view_bytes += len;
            return Ok(Handover::View { line: worker.line.clone(), key: ViewKey { worker: index, at, len } });
        }
        let mut bytes = vec![0; len as usize];
        arena.copy_out(at, &mut bytes).map_err(|_| Broken)?;
        worker.give_back(at, len);
        Ok(Handover::Copied(bytes))
    }

    /// These were handed over with a reply that is not told after all.
    pub(super) fn take_in(&mut self, handovers: impl Iterator<Item = Handover>) {
        for handover in handovers {
            if let Handover::View { key, .. } = handover {
                self.view_bytes -= key.len;
            }
        }
    }

    /// Nobody looks at this view any more; `line` says whose it was, since the index may have a new worker by now.
    pub fn view_done(&mut self, line: &Arc<WorkerLine>, key: ViewKey) {
        let ViewKey { worker, at, len } = key;
        self.view_bytes = self.view_bytes.saturating_sub(len);
        match self.workers.get_mut(worker) {
            Some(Some(worker)) if Arc::ptr_eq(&worker.line, line) => {
                worker.views.hide(at);
                worker.give_back(at, len);
                self.blocks_came_back();
            }
            // It is gone, and others of its views may stay for long.
            _ => self.cool(Cooling::of(line.arena.clone(), vec![(at, len)])),
        }
    }

    /// A worker is gone. What JavaScript looks at keeps its arena; nothing else in there will be wanted.
    pub(super) fn leave_views(&mut self, gone: Option<WorkerEnd>) {
        self.left.retain(|line| line.strong_count() > 0);
        if let Some(end) = gone.filter(|end| !end.views.is_empty()) {
            self.cool(Cooling::all_but(end.line.arena.clone(), end.views.list()));
            self.left.push(Arc::downgrade(&end.line));
        }
    }
}
