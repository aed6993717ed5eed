//! What `stats()` tells of this moment: tasks by where they are, workers by what they use.

use super::worker_end::WorkerEnd;
use super::Farm;
use crate::pool::wedge::Activity;
use farm_sys::usage;
use farm_transport::layout::phase;
use farm_transport::Kind;
use serde_json::{json, Value};
use std::sync::atomic::Ordering::*;

/// Where published tasks are: claimed by nobody, and by each worker.
struct Published {
    ready: usize,
    claimed: Vec<usize>,
}

impl Farm {
    /// All figures. `reset`: the histograms start anew with the next task.
    pub fn figures(&mut self, reset: bool) -> Value {
        let Published { ready, claimed } = self.count_published();
        let (waiting, resting) = (self.tasks.waiting() + ready, self.tasks.resting());
        let workers: Vec<Value> = self
            .workers
            .iter()
            .zip(claimed)
            .enumerate()
            .filter_map(|(index, (end, running))| {
                let end = end.as_ref()?;
                let mut figures = json!({
                    "workerId": index + 1,
                    "tasks": end.tasks,
                    "running": running,
                    "activity": self.activity(index, end),
                    "spare": end.line.own.paused().load(Relaxed) != 0,
                });
                if end.pid > 0 {
                    figures["cpu"] = usage::cpu_ns(end.pid).into();
                    figures["memory"] = usage::private_bytes(end.pid).into();
                }
                Some(figures)
            })
            .collect();
        let figures = json!({
            "open": self.tasks.open(),
            "waiting": waiting,
            "resting": resting,
            "running": self.tasks.open().saturating_sub(waiting + resting),
            "times": self.stats.read(),
            "workers": workers,
            "sharedBytes": self.requests.used(),
            "viewBytes": self.view_bytes,
            "touchedBytes": self.touched(),
            "surplus": self.shared.surplus.load(Relaxed),
            "rescued": self.shared.rescued.load(Relaxed),
        });
        if reset {
            self.stats.reset();
        }
        figures
    }

    fn count_published(&self) -> Published {
        let mut published = Published { ready: 0, claimed: vec![0; self.workers.len()] };
        for (slot, truth) in self.shared.truth.iter().enumerate() {
            let turn = truth.turn.load(Relaxed);
            if turn == 0 || self.tasks.task_at(slot as u32, turn).is_none() {
                continue;
            }
            let state = self.line.queue.queue.state(slot as u32);
            match state.kind() {
                Kind::Ready => published.ready += 1,
                // The owner is what a worker wrote.
                Kind::Claimed => {
                    if let Some(count) = published.claimed.get_mut(usize::from(state.owner())) {
                        *count += 1;
                    }
                }
                _ => {}
            }
        }
        published
    }

    /// What a worker is at, as far as the supervisor has looked; `None` before it is online.
    fn activity(&self, index: usize, end: &WorkerEnd) -> Option<&'static str> {
        let own = &end.line.own;
        if own.phase().load(Relaxed) == phase::STARTING {
            return None;
        }
        if (0..self.shared.settings.lanes).all(|lane| own.read_stamp(lane).is_none()) {
            return Some(Activity::Brief.name(false));
        }
        Some(Activity::of(self.shared.activities[index].load(Relaxed)).name(true))
    }
}
