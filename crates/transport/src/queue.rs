//! The queue that workers pull from: a ring of entries gives the order, slots hold the tasks. Order and storage are
//! apart, so a task that runs for ever keeps its slot and nothing else.
//!
//! One producer (the parent's JavaScript thread: `publish`, `withdraw`, `free`), any number of consumers (`claim`). Every
//! change of a slot's state after publication is a compare-and-swap between words that contain the turn, hence each task
//! ends in exactly one way. unsafe room: the words live in memory shared with other processes.

use crate::layout::MAX_WORKERS;
use crate::sync::{fence, AtomicU64, AtomicUsize, Ordering::*};
use crate::word::{Entry, Kind, State, NO_SLOT};
use std::any::Any;
use std::sync::Arc;

/// Where the words lie: addresses and distances in bytes, and how many of each there are.
#[derive(Clone, Copy)]
pub struct QueueShape {
    pub head: *const AtomicU64,
    pub parent_asleep: *const AtomicU64,
    /// The one worker (index + 1) that spins before it sleeps, or 0.
    pub spinner: *const AtomicU64,
    /// Workers that have joined and not left; kept by the parent.
    pub online: *const AtomicU64,
    pub sleepers: *const AtomicU64,
    pub sleepers_stride: usize,
    pub entries: *const AtomicU64,
    pub states: *const AtomicU64,
    pub states_stride: usize,
    /// A power of two.
    pub entry_count: usize,
    pub slot_count: usize,
    pub worker_count: usize,
}

pub struct Queue {
    shape: QueueShape,
    /// Workers that this side knows of. Private to the process, so never modelled.
    known: AtomicUsize,
    /// Keeps the memory behind `shape` alive.
    _memory: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the addresses lead to atomics in memory that `_memory` keeps alive; all access is atomic.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    Got { turn: u64, slot: u32 },
    Empty,
}

const WORKERS_PER_WORD: usize = 64;

impl Queue {
    /// # Safety
    /// Every word that `shape` describes is a valid, aligned `AtomicU64` for as long as `memory` lives.
    pub unsafe fn new(shape: QueueShape, memory: Arc<dyn Any + Send + Sync>) -> Self {
        debug_assert!(shape.entry_count.is_power_of_two());
        Queue { known: AtomicUsize::new(shape.worker_count), shape, _memory: memory }
    }

    /// Over the words of a mapped segment.
    #[cfg(not(loom))]
    pub(crate) fn over_segment(shape: QueueShape, segment: Arc<crate::segment::Segment>) -> Self {
        // SAFETY: `task_slot` takes every address from `Segment::word`, which checks alignment and bounds, and asserts
        // the size of the whole layout; the segment is kept.
        unsafe { Self::new(shape, segment) }
    }

    /// The turn of the first task ever published: one lap in, so that a zero entry never matches the head.
    pub fn first_turn(&self) -> u64 {
        self.shape.entry_count as u64
    }

    fn known(&self) -> usize {
        self.known.load(Relaxed)
    }

    /// There are more workers now, up to this many. Those who joined before know only of themselves: they neither wake nor
    /// count the others, which the parent and their own kind wake.
    pub fn admit(&self, workers: usize) {
        self.known.fetch_max(workers.min(MAX_WORKERS), Relaxed);
    }

    /// Parent, once, before any worker sees the queue.
    pub fn reset(&self) {
        self.head().store(self.first_turn(), Release);
    }

    fn at(&self, base: *const AtomicU64, stride: usize, index: usize) -> &AtomicU64 {
        // SAFETY: `new` promises valid words for every index below the counts, and each caller below checks or masks its
        // index against the count of its table.
        unsafe { &*base.byte_add(stride * index) }
    }

    fn head(&self) -> &AtomicU64 {
        self.at(self.shape.head, 0, 0)
    }

    fn parent_asleep(&self) -> &AtomicU64 {
        self.at(self.shape.parent_asleep, 0, 0)
    }

    fn spinner(&self) -> &AtomicU64 {
        self.at(self.shape.spinner, 0, 0)
    }

    fn online(&self) -> &AtomicU64 {
        self.at(self.shape.online, 0, 0)
    }

    fn entry(&self, turn: u64) -> &AtomicU64 {
        self.at(self.shape.entries, size_of::<AtomicU64>(), turn as usize & (self.shape.entry_count - 1))
    }

    fn state_word(&self, slot: u32) -> &AtomicU64 {
        assert!((slot as usize) < self.shape.slot_count, "slot {slot} is outside of the queue");
        self.at(self.shape.states, self.shape.states_stride, slot as usize)
    }

    /// The words of sleepers, and those who sleep among the workers that this side knows.
    fn sleepers(&self) -> impl Iterator<Item = (usize, &AtomicU64, u64)> {
        let known = self.known();
        (0..known.div_ceil(WORKERS_PER_WORD)).map(move |index| {
            let word = self.at(self.shape.sleepers, self.shape.sleepers_stride, index);
            let unknown = (WORKERS_PER_WORD * (index + 1)).saturating_sub(known);
            (index, word, word.load(Relaxed) & u64::MAX >> unknown)
        })
    }

    fn sleeper(&self, worker: u16) -> (&AtomicU64, u64) {
        let index = worker as usize / WORKERS_PER_WORD;
        assert!((worker as usize) < self.known(), "worker {worker} is outside of the queue");
        (self.at(self.shape.sleepers, self.shape.sleepers_stride, index), 1 << (worker as usize % WORKERS_PER_WORD))
    }

    pub fn state(&self, slot: u32) -> State {
        State(self.state_word(slot).load(Acquire))
    }

    fn swap(&self, slot: u32, from: State, to: State) -> bool {
        self.state_word(slot).compare_exchange(from.0, to.0, AcqRel, Acquire).is_ok()
    }

    /// Where consumers stand. Written by workers: a hint, never an index.
    pub fn head_turn(&self) -> u64 {
        self.head().load(Acquire)
    }

    fn pass(&self, turn: u64) {
        // Anybody may help the head over a turn that is claimed or not to be claimed; one of them succeeds.
        let _ = self.head().compare_exchange(turn, turn + 1, AcqRel, Relaxed);
    }

    // ----- the parent's JavaScript thread -----

    /// True when the entry of `turn` may be written: the head has left the one it replaces. Helps the head past entries
    /// whose tasks are withdrawn, since nobody else may come by for a while.
    pub fn has_room(&self, turn: u64) -> bool {
        let lap = self.shape.entry_count as u64;
        for _ in 0..=lap {
            let head = self.head().load(Acquire);
            if head.wrapping_add(lap) > turn {
                return true;
            }
            match self.look(head) {
                Look::Ready(..) => return false,
                Look::Pass => self.pass(head),
                Look::Nothing => return self.head().load(Acquire).wrapping_add(lap) > turn,
            }
        }
        false
    }

    /// Helps the head past entries that nobody will claim, for a lap at most; where it stands then.
    pub fn catch_up(&self) -> u64 {
        self.has_room(u64::MAX);
        self.head_turn()
    }

    /// Makes the task in `slot` claimable as number `turn`. Its payload is complete. The caller has the only free
    /// claim to the slot, and `has_room(turn)`.
    pub fn publish(&self, slot: u32, turn: u64) {
        self.state_word(slot).store(State::new(turn, 0, Kind::Ready).0, Release);
        self.entry(turn).store(Entry::new(turn, slot).0, Release);
    }

    /// Takes a published task back; false when a worker was faster.
    pub fn withdraw(&self, slot: u32, turn: u64) -> bool {
        self.swap(slot, State::new(turn, 0, Kind::Ready), State::new(turn, 0, Kind::Withdrawn))
    }

    /// The parent goes to sleep: from now on whoever has news rings. The caller must look at everything once more.
    pub fn parent_sleeps(&self) {
        self.parent_asleep().store(1, Relaxed);
        fence(SeqCst);
    }

    pub fn parent_wakes(&self) {
        self.parent_asleep().store(0, Relaxed);
    }

    // ----- parent and workers -----

    /// After publishing (anything a sleeper must see): clears up to `count` sleepers' bits and calls `ring` for each.
    pub fn wake(&self, count: usize, mut ring: impl FnMut(u16)) -> usize {
        fence(SeqCst);
        let mut left = count;
        for (index, word, mut bits) in self.sleepers() {
            while bits != 0 && left > 0 {
                let bit = bits & bits.wrapping_neg();
                bits &= !bit;
                if word.fetch_and(!bit, AcqRel) & bit != 0 {
                    ring((index * WORKERS_PER_WORD) as u16 + bit.trailing_zeros() as u16);
                    left -= 1;
                }
            }
        }
        count - left
    }

    /// As `wake`, for tasks just published or left behind: a worker that spins takes one of them without being rung. It
    /// cannot miss it: it looks once more after it has stopped spinning, behind a fence, as whoever goes to sleep does.
    pub fn wake_beside_spinner(&self, count: usize, ring: impl FnMut(u16)) -> usize {
        fence(SeqCst);
        let spinning = usize::from(self.spinner().load(Relaxed) != 0);
        match count.saturating_sub(spinning) {
            0 => 0,
            left => self.wake(left, ring),
        }
    }

    pub fn anyone_asleep(&self) -> bool {
        self.sleepers().any(|(_, _, bits)| bits != 0)
    }

    /// True when there is something to claim at the head.
    pub fn has_ready(&self) -> bool {
        self.ready_turn().is_some()
    }

    fn ready_turn(&self) -> Option<u64> {
        loop {
            let head = self.head().load(Acquire);
            match self.look(head) {
                Look::Ready(..) => return Some(head),
                Look::Pass => self.pass(head),
                Look::Nothing if self.head().load(Acquire) == head => return None,
                Look::Nothing => {}
            }
        }
    }

    /// True when something behind `turn` is ready, also behind tasks that are claimed or withdrawn.
    fn ready_after(&self, turn: u64) -> bool {
        let mut at = turn.wrapping_add(1).max(self.head_turn());
        for _ in 0..self.shape.entry_count {
            match self.look(at) {
                Look::Ready(..) => return true,
                Look::Pass => at = at.wrapping_add(1),
                Look::Nothing => {
                    let head = self.head_turn();
                    if head <= at {
                        return false;
                    }
                    at = head;
                }
            }
        }
        false
    }

    /// Fixes the fate of a running task before its worker ends it; false when the worker was faster.
    pub fn revoke(&self, slot: u32, turn: u64, worker: u16) -> bool {
        self.swap(slot, State::new(turn, worker, Kind::Claimed), State::new(turn, worker, Kind::Revoked))
    }

    // ----- the parent's supervisor -----

    pub fn set_online(&self, workers: usize) {
        self.online().store(workers as u64, Relaxed);
    }

    /// A worker is gone: it neither sleeps nor spins any more.
    pub fn forget(&self, worker: u16) {
        let (word, bit) = self.sleeper(worker);
        word.fetch_and(!bit, AcqRel);
        self.stop_spinning(worker);
    }

    /// The sleepers among workers 0–63, 64–127, …, as bits: a hint for the supervisor's look around.
    pub fn is_asleep(&self, worker: u16) -> bool {
        let (word, bit) = self.sleeper(worker);
        word.load(Relaxed) & bit != 0
    }

    pub fn parent_is_asleep(&self) -> bool {
        self.parent_asleep().load(Relaxed) != 0
    }

    /// The raw entry and state under the head, for the supervisor to compare with the parent's private truth.
    pub fn entry_at(&self, turn: u64) -> Entry {
        Entry(self.entry(turn).load(Acquire))
    }

    // ----- workers -----

    /// True when this worker may spin: nobody else does, and a CPU is left beside the workers that are awake.
    pub fn may_spin(&self, worker: u16, cpus: usize) -> bool {
        let asleep: u32 = self.sleepers().map(|(_, _, bits)| bits.count_ones()).sum();
        let awake = (self.online().load(Relaxed) as usize).saturating_sub(asleep as usize);
        awake < cpus && self.spinner().compare_exchange(0, u64::from(worker) + 1, AcqRel, Relaxed).is_ok()
    }

    /// The caller must look for tasks once more: one of them may have been left to it.
    pub fn stop_spinning(&self, worker: u16) {
        let _ = self.spinner().compare_exchange(u64::from(worker) + 1, 0, AcqRel, Relaxed);
        // Whoever still saw it spin published before this fence, so that the look behind it finds the task.
        fence(SeqCst);
    }

    fn look(&self, turn: u64) -> Look {
        let entry = Entry(self.entry(turn).load(Acquire));
        if entry.turn() != turn {
            return Look::Nothing;
        }
        let slot = entry.slot();
        if slot == NO_SLOT || slot as usize >= self.shape.slot_count {
            return Look::Pass;
        }
        if self.state(slot) == State::new(turn, 0, Kind::Ready) {
            Look::Ready(slot)
        } else {
            Look::Pass
        }
    }

    /// Takes the next task, in order.
    pub fn claim(&self, worker: u16) -> Claim {
        loop {
            let turn = self.head().load(Acquire);
            match self.look(turn) {
                Look::Ready(slot) => {
                    let ready = State::new(turn, 0, Kind::Ready);
                    let won = self.swap(slot, ready, State::new(turn, worker, Kind::Claimed));
                    self.pass(turn);
                    if won {
                        return Claim::Got { turn, slot };
                    }
                }
                Look::Pass => self.pass(turn),
                Look::Nothing if self.head().load(Acquire) == turn => return Claim::Empty,
                Look::Nothing => {}
            }
        }
    }

    /// Before this worker stops pulling while tasks are ready, somebody who sleeps must know.
    pub fn pass_on(&self, ring: impl FnMut(u16)) {
        if self.anyone_asleep() && self.has_ready() {
            self.wake_beside_spinner(1, ring);
        }
    }

    /// For a worker that runs something already: leaves the task at the head to a neighbour that sleeps, and goes to sleep
    /// itself. False when one of the two is missing or more came in meanwhile: then this worker pulls on.
    pub fn leave_to_neighbour(&self, worker: u16, ring: impl FnMut(u16)) -> bool {
        let Some(turn) = self.ready_turn() else { return false };
        if self.wake(1, ring) == 0 {
            return false;
        }
        self.sleeps(worker);
        // What was published before our bit was seen rang nobody, and the neighbour takes one task only.
        let more = self.ready_after(turn);
        if more {
            self.rises(worker);
        }
        !more
    }

    /// Ends a task; false when it was revoked meanwhile, then no result may be published.
    pub fn finish(&self, slot: u32, turn: u64, worker: u16) -> bool {
        self.swap(slot, State::new(turn, worker, Kind::Claimed), State::new(turn, worker, Kind::Done))
    }

    /// Lets go of a task that was revoked.
    pub fn release(&self, slot: u32, turn: u64, worker: u16) -> bool {
        self.swap(slot, State::new(turn, worker, Kind::Revoked), State::new(turn, worker, Kind::Released))
    }

    /// The worker goes to sleep: sets its bit, so that whoever publishes rings. The caller must look at queue and mailbox
    /// once more and call `rises` if there is something.
    pub fn sleeps(&self, worker: u16) {
        let (word, bit) = self.sleeper(worker);
        word.fetch_or(bit, AcqRel);
        fence(SeqCst);
    }

    pub fn rises(&self, worker: u16) {
        let (word, bit) = self.sleeper(worker);
        if word.load(Relaxed) & bit != 0 {
            word.fetch_and(!bit, AcqRel);
        }
    }

    /// After a reply is in the ring: true when the parent sleeps and this caller is the one to ring it.
    pub fn must_ring_parent(&self) -> bool {
        fence(SeqCst);
        self.parent_asleep().load(Relaxed) != 0 && self.parent_asleep().swap(0, AcqRel) != 0
    }
}

enum Look {
    Nothing,
    Pass,
    Ready(u32),
}
