//! Published tasks that others are to overtake are taken back, as long as no worker has claimed them.

use super::backlog::Place;
use super::Farm;
use farm_transport::frame::NO_BLOCK;

impl Farm {
    /// How many tasks are published ahead while they differ in priority: what runs, and as much to go on with. Workers that
    /// leave may run more than those that stay.
    pub(super) fn window(&self) -> usize {
        let ahead = self.max * self.shared.settings.lanes;
        let published = self.tasks.published_count();
        if published < 2 * ahead || !self.tasks.is_narrow() {
            return 2 * ahead;
        }
        let unclaimed = self.tasks.next_turn().saturating_sub(self.line.queue.queue.catch_up());
        ahead + ahead.max(published.saturating_sub(unclaimed as usize))
    }

    /// Puts published tasks into the order that those which came since ask for; how many are published anew.
    pub(super) fn reorder(&mut self) -> usize {
        let back = self.tasks.to_take_back(self.window());
        if back.is_empty() {
            return 0;
        }
        for (slot, turn) in back {
            if !self.line.queue.queue.withdraw(slot, turn) {
                continue;
            }
            self.unpublish(slot);
            if let Some(id) = self.tasks.taken_back(slot, turn) {
                self.keep_payload(id, slot);
            }
        }
        self.publish_waiting()
    }

    /// The small payload of a task that waits again, out of the slot in which nobody has published since.
    pub(super) fn keep_payload(&mut self, id: u32, slot: u32) {
        let record = &self.records[id as usize];
        if record.header.block != NO_BLOCK || record.place != Place::NONE {
            return;
        }
        let mut bytes = vec![0; record.header.len as usize];
        if self.line.queue.read_inline(slot, &mut bytes).is_ok() {
            self.records[id as usize].place = self.backlog.put(&bytes);
        }
    }
}
