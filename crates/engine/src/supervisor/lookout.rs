//! The look around at short intervals while tasks are open: whoever should be awake is rung, and a queue that cannot be as
//! it is, is reported. In a healthy run it finds nothing.

use crate::shared::{FarmLine, Shared, WorkerLine};
use farm_transport::layout::{phase, worker::REPLIES};
use farm_transport::{Entry, Kind};
use std::sync::atomic::Ordering::*;
use std::sync::Arc;

pub const INTERVAL: u64 = 50_000_000;
/// Looks without an open task before the looking stops.
const QUIET_LOOKS: u32 = 20;
/// Looks at the same standstill before the whole queue is checked.
const STILL_LOOKS: u32 = 2;
/// Looks at the same standstill at a task that nobody works on before it is taken for lost: a second, in which a worker
/// may be off the processor between two steps that lie nanoseconds apart. Looks at a stopped worker, or at one that waits
/// for a CPU, do not count.
const LOST_LOOKS: u32 = 20;

#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    Nothing,
    /// No open task for a while: stop looking.
    Quiet,
    /// Somebody wrote over the shared queue.
    Poison,
}

#[derive(Default)]
pub struct Lookout {
    quiet: u32,
    still: u32,
    head: u64,
    settled: u64,
    lost: u32,
    unread: u32,
    claimant: Option<u16>,
    /// The worker that has a task which nobody works on, and its CPU time then.
    owner: Option<(u16, Option<u64>)>,
    /// Since the standstill began somebody who was rung, or who was about to ring, was seen to be held up.
    held_up: bool,
}

/// What the lookout asks about the process of a worker.
pub trait Processes {
    /// It is stopped, or has ended and is about to be reaped.
    fn stands_still(&self, worker: u16) -> bool;
    /// It runs, or waits for nothing but a CPU.
    fn is_runnable(&self, worker: u16) -> bool;
    /// Its CPU time so far, in any unit.
    fn cpu(&self, worker: u16) -> Option<u64>;
    /// It is there to take tasks.
    fn takes_tasks(&self, worker: u16) -> bool;
}

impl Lookout {
    /// A worker that stands still between taking a task and saying so, if there is one.
    pub fn claimant(&self) -> Option<u16> {
        self.claimant
    }

    /// `reaped`: workers that are gone, of which the JavaScript thread has not drained what they left.
    pub fn look(
        &mut self,
        shared: &Shared,
        line: &FarmLine,
        workers: &[(u16, Arc<WorkerLine>)],
        reaped: &[u16],
        processes: &dyn Processes,
    ) -> Finding {
        let queue = &line.queue.queue;
        if shared.open.load(Acquire) == 0 {
            (self.still, self.lost) = (0, 0);
            self.held_up = false;
            self.quiet += 1;
            return if self.quiet >= QUIET_LOOKS { Finding::Quiet } else { Finding::Nothing };
        }
        self.quiet = 0;
        let head = queue.head_turn();
        let settled = shared.settled.load(Relaxed);
        let moved = head != self.head || settled != self.settled;
        (self.head, self.settled) = (head, settled);
        if moved {
            (self.still, self.lost) = (0, 0);
            self.unread = 0;
            self.claimant = None;
            self.held_up = false;
            return Finding::Nothing;
        }
        self.still += 1;
        let tail = shared.tail.load(Acquire);
        // Between a publication and its word about it the JavaScript thread may wait for a CPU.
        if head > tail + 1 {
            return Finding::Poison;
        }
        // At the first such look whoever has published may only wait for a CPU before it rings.
        if queue.has_ready() {
            self.held_up |= queue.anyone_asleep() && on_its_way(shared, line, workers, processes);
            if self.still < STILL_LOOKS {
                // Its time may come.
            } else if queue.wake(1, |worker| shared.ring(worker)) > 0 {
                // Who was rung and cannot come has lost no wake-up: only this look finds out.
                shared.rescued.fetch_add(u64::from(!self.held_up), Relaxed);
            } else {
                // The sleepers' bits may have been written over.
                workers.iter().for_each(|(worker, _)| shared.ring(*worker));
            }
        }
        self.ring_parent(shared, line, workers, processes);
        let known: Vec<u16> = workers.iter().map(|(index, _)| *index).chain(reaped.iter().copied()).collect();
        if self.still >= STILL_LOOKS && impossible(shared, line, head, tail, &known) {
            return Finding::Poison;
        }
        if self.still >= STILL_LOOKS {
            match nobodys(shared, line, workers) {
                Some(owner) if processes.stands_still(owner) => {
                    // It may be about to say that it has the task: it has its second when it goes on.
                    (self.lost, self.claimant) = (0, Some(owner));
                }
                Some(owner) => {
                    let seen = Some((owner, processes.cpu(owner)));
                    // One that gets no CPU cannot say so.
                    let waits = processes.is_runnable(owner) && seen == self.owner;
                    self.lost += u32::from(!waits);
                    self.owner = seen;
                }
                None => (self.lost, self.claimant) = (0, None),
            }
            if self.lost >= LOST_LOOKS {
                return Finding::Poison;
            }
        }
        Finding::Nothing
    }

    /// A reply that lies in a ring for two looks: nobody rang, or the parent is blocked, and then a ring costs nothing.
    fn ring_parent(
        &mut self,
        shared: &Shared,
        line: &FarmLine,
        workers: &[(u16, Arc<WorkerLine>)],
        processes: &dyn Processes,
    ) {
        let news = |worker: &WorkerLine| worker.own.unread(REPLIES) || worker.own.wants_room().load(Relaxed) != 0;
        let mut waiting = workers.iter().filter(|(_, worker)| news(worker)).peekable();
        if waiting.peek().is_none() {
            self.unread = 0;
            return;
        }
        self.unread += 1;
        // Between its reply and its ring, that is.
        self.held_up |= waiting.any(|(index, _)| processes.stands_still(*index));
        if self.unread >= 2 {
            self.unread = 0;
            if line.queue.queue.parent_is_asleep() {
                shared.rescued.fetch_add(u64::from(!self.held_up), Relaxed);
            }
            shared.parent_bell.ring();
        }
    }
}

/// Somebody does not sleep, could take one more task, and does not come to it: stopped, ended, or waiting for a CPU.
fn on_its_way(shared: &Shared, line: &FarmLine, workers: &[(u16, Arc<WorkerLine>)], processes: &dyn Processes) -> bool {
    let has_room = |worker: &WorkerLine| (0..shared.settings.lanes).any(|lane| worker.own.read_stamp(lane).is_none());
    workers.iter().any(|(index, worker)| {
        !line.queue.queue.is_asleep(*index)
            && worker.own.phase().load(Relaxed) == phase::ONLINE
            && has_room(worker)
            && (processes.stands_still(*index) || processes.takes_tasks(*index) && processes.is_runnable(*index))
    })
}

/// At a standstill every published task must be in a state that explains it.
fn impossible(shared: &Shared, line: &FarmLine, head: u64, tail: u64, known: &[u16]) -> bool {
    let queue = &line.queue.queue;
    // The entry of a head that has moved meanwhile may be written over already.
    if head < tail && queue.entry_at(head).turn() != head && queue.head_turn() == head {
        return true;
    }
    for (slot, truth) in shared.truth.iter().enumerate() {
        let turn = truth.turn.load(Acquire);
        // From `tail` on the JavaScript thread is still writing.
        if turn == 0 || turn >= tail {
            continue;
        }
        let state = queue.state(slot as u32);
        let fits = state.turn() == turn
            && match state.kind() {
                // Behind the head nobody would ever claim it; the head as it was before, since it moves with a claim.
                Kind::Ready => turn >= head,
                Kind::Claimed => known.contains(&state.owner()),
                Kind::Done | Kind::Revoked | Kind::Released | Kind::Withdrawn => true,
                Kind::Free | Kind::Broken => false,
            };
        // The JavaScript thread may have settled it between the two looks.
        if !fits && truth.turn.load(Acquire) == turn {
            return true;
        }
    }
    false
}

/// After a long standstill: the owner of a task that is claimed but in no lane of its worker, or done without a reply to
/// come.
fn nobodys(shared: &Shared, line: &FarmLine, workers: &[(u16, Arc<WorkerLine>)]) -> Option<u16> {
    let queue = &line.queue.queue;
    shared.truth.iter().enumerate().find_map(|(slot, truth)| {
        let turn = truth.turn.load(Acquire);
        let state = queue.state(slot as u32);
        if turn == 0 || state.turn() != turn {
            return None;
        }
        let (index, owner) = workers.iter().find(|(index, _)| *index == state.owner())?;
        let task = Entry::new(turn, slot as u32).0;
        let orphaned = match state.kind() {
            Kind::Claimed => {
                (0..shared.settings.lanes).all(|lane| owner.own.read_stamp(lane).is_none_or(|stamp| stamp.task != task))
            }
            Kind::Done => !owner.own.unread(REPLIES),
            _ => false,
        };
        // It may have been ended between the two looks.
        (orphaned && queue.state(slot as u32) == state && truth.turn.load(Acquire) == turn).then_some(*index)
    })
}

#[cfg(test)]
#[path = "lookout_tests.rs"]
mod tests;
