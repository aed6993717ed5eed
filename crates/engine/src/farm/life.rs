//! The life of single tasks, told to the JavaScript side while somebody listens there: frames of a kind of their own, before
//! the one that settles the task or says that an attempt has failed. Body: `u32 worker + 1, 0 while none has started it |
//! u32 attempt | f64 wait | f64 run` (ms, -1 for none). Read by `lib/task-events.js`.

use super::drain::Drained;
use super::frames::{write_frame, Life, Listeners, Ran};
use super::{settled, Farm};
use farm_sys::monotonic_ns;
use farm_transport::frame::word;
use farm_transport::{Entry, Kind};

impl Farm {
    /// What the JavaScript side wants to be told from now on.
    pub fn watch_tasks(&mut self, ends: bool, starts: bool) {
        self.listeners = Listeners { ends, starts };
        self.line.queue.watch(starts);
    }

    /// Of an open task, as a frame would say it now.
    pub fn life_of(&self, id: u32) -> [f64; 4] {
        let ran = self.tasks.publication(id).and_then(|(slot, turn)| self.ran(slot, turn));
        let Life { worker_id, attempt, wait, run } = self.life(id, ran);
        [f64::from(worker_id), f64::from(attempt), wait, run]
    }

    /// The attempt that a worker has under way, as its own word has it.
    pub(super) fn ran(&self, slot: u32, turn: u64) -> Option<Ran> {
        let state = self.line.queue.queue.state(slot);
        let begun = state.turn() == turn && !matches!(state.kind(), Kind::Free | Kind::Ready | Kind::Withdrawn);
        let worker = usize::from(state.owner());
        let end = self.workers.get(worker).filter(|_| begun)?.as_ref()?;
        let task = Entry::new(turn, slot).0;
        let stamps = (0..self.shared.settings.lanes).filter_map(|lane| end.line.own.read_stamp(lane));
        let stamp = stamps.into_iter().find(|stamp| stamp.task == task)?;
        Some(Ran { worker, since: stamp.since, ran: monotonic_ns().saturating_sub(stamp.since) })
    }

    fn life(&self, id: u32, ran: Option<Ran>) -> Life {
        let (attempt, submitted) = self.records.get(id as usize).map_or((1, 0), |of| (of.header.attempt, of.submitted));
        Life::new(attempt, submitted, ran, monotonic_ns())
    }

    /// Before the verdict that it belongs to.
    pub(super) fn tell_life(&mut self, id: u32, kind: u32, ran: Option<Ran>) {
        if self.listeners.ends {
            let body = self.life(id, ran).encode().to_vec();
            self.verdicts.push_back((id, kind, body));
        }
    }

    /// Before the reply that it belongs to; there is room for it.
    pub(super) fn write_life(&self, id: u32, kind: u32, ran: Option<Ran>, out: &mut [u8], drained: &mut Drained) {
        drained.len = write_frame(out, drained.len, id, kind, &self.life(id, ran).encode());
    }

    /// A worker's notice of a task that it has started; of no interest when that one is settled already.
    pub(super) fn take_start(&self, worker: usize, raw: &[u8; 16], out: &mut [u8], drained: &mut Drained) {
        let (entry, since) = (Entry(word(raw, 0)), word(raw, 8));
        let Some(id) = self.tasks.task_at(entry.slot(), entry.turn()) else { return };
        let state = self.line.queue.queue.state(entry.slot());
        if self.listeners.starts && state.turn() == entry.turn() && usize::from(state.owner()) == worker {
            self.write_life(id, settled::STARTED, Some(Ran { worker, since, ran: 0 }), out, drained);
        }
    }
}
