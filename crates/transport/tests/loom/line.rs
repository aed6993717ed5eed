//! A queue and a ring over heap memory, small enough for a model.

use farm_transport::sync::AtomicU64;
use farm_transport::{Byte, Consumer, Producer, Queue, QueueShape};
use loom::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

/// Runs a model and says how many executions it took. The preemption bound is raised by FARM_LOOM_PREEMPTIONS.
pub fn check(name: &str, preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let asked = std::env::var("FARM_LOOM_PREEMPTIONS").ok().and_then(|bound| bound.parse().ok());
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = executions.clone();
    let mut builder = loom::model::Builder::new();
    let bound = preemptions.max(asked.unwrap_or(0));
    builder.preemption_bound = Some(bound);
    builder.max_branches = 10_000;
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        model();
    });
    println!("{name}: {} executions, at most {bound} preemptions", executions.load(Relaxed));
}

struct Words {
    /// Head, parent asleep, spinner, online, sleepers.
    fixed: [AtomicU64; 5],
    entries: Vec<AtomicU64>,
    states: Vec<AtomicU64>,
    payloads: Vec<UnsafeCell<u64>>,
}

// SAFETY: `payloads` are touched through loom's cells, which report every access that is not ordered by the code under test.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// A queue and what its slots hold.
pub struct Line {
    pub queue: Queue,
    words: Arc<Words>,
}

impl Line {
    pub fn new(entries: usize, slots: usize, workers: usize) -> Arc<Line> {
        let words = Arc::new(Words {
            fixed: std::array::from_fn(|_| AtomicU64::new(0)),
            entries: words(entries),
            states: words(slots),
            payloads: (0..slots).map(|_| UnsafeCell::new(0)).collect(),
        });
        let stride = size_of::<AtomicU64>();
        let [head, parent_asleep, spinner, online, sleepers] = &words.fixed;
        let shape = QueueShape {
            head,
            parent_asleep,
            spinner,
            online,
            sleepers,
            sleepers_stride: stride,
            entries: words.entries.as_ptr(),
            states: words.states.as_ptr(),
            states_stride: stride,
            entry_count: entries,
            slot_count: slots,
            worker_count: workers,
        };
        // SAFETY: all words lie in vectors and arrays of `words`, which the queue keeps; at most 64 workers need one word of
        // sleepers.
        let queue = unsafe { Queue::new(shape, words.clone()) };
        queue.reset();
        Arc::new(Line { queue, words })
    }

    /// Writes the payload of a slot and publishes it.
    pub fn publish(&self, slot: u32, turn: u64) {
        // SAFETY: the slot belongs to the publisher; loom reports it when a worker may still look at it.
        self.words.payloads[slot as usize].with_mut(|payload| unsafe { *payload = turn * 10 });
        self.queue.publish(slot, turn);
    }

    /// The payload that belongs to a claimed task.
    pub fn payload(&self, slot: u32) -> u64 {
        // SAFETY: the slot is claimed by the caller; loom reports it when the publisher's writes are not ordered before.
        self.words.payloads[slot as usize].with(|payload| unsafe { *payload })
    }
}

struct RingMemory {
    head: AtomicU64,
    tail: AtomicU64,
    data: Vec<Byte>,
}

// SAFETY: as for `Words`.
unsafe impl Send for RingMemory {}
// SAFETY: as for `Words`.
unsafe impl Sync for RingMemory {}

/// Both ends of a fresh ring.
pub fn ring(capacity: usize) -> (Producer, Consumer) {
    let data = (0..capacity).map(|_| Byte::new(0)).collect();
    let memory = Arc::new(RingMemory { head: AtomicU64::new(0), tail: AtomicU64::new(0), data });
    let at = memory.data.as_ptr().cast_mut();
    // SAFETY: words and data live in `memory`, which both ends keep; one end of each kind is made.
    unsafe {
        (
            Producer::new(&memory.head, &memory.tail, at, capacity, memory.clone()),
            Consumer::new(&memory.head, &memory.tail, at, capacity, memory.clone()),
        )
    }
}
