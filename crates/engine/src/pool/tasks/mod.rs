//! What becomes of each task until it is settled, exactly once: waiting, published in a slot, resting before it is tried
//! again, or a slot whose task is settled while a worker still holds it. Owned by the parent's JavaScript thread. Knows
//! tasks by the caller's number and published ones by `(slot, turn)`; a pair that is not current is somebody's mistake and
//! changes nothing.

mod failing;
mod order;
mod retry;

use order::{Order, Rank};
use retry::Trials;
pub use retry::{Failure, Moment, Plan};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Vacant,
    Waiting,
    Published {
        slot: u32,
        turn: u64,
    },
    /// It has failed and waits for its next try.
    Resting,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    state: State,
    losses: u8,
    /// It is among the trials.
    tried: bool,
    /// This is not its first attempt.
    again: bool,
    priority: i16,
    /// Tells this task's place in line from one that an earlier task of the same number left.
    place: u64,
}

impl Task {
    fn rank(&self) -> Rank {
        (self.priority, self.again)
    }
}

const VACANT: Task = Task { state: State::Vacant, losses: 0, tried: false, again: false, priority: 0, place: 0 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    Task(u32),
    /// The task is settled or elsewhere; a worker has not let go of the slot yet.
    Settled,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    turn: u64,
    holder: Holder,
}

/// What to do about a task that its caller gave up.
#[derive(Debug, PartialEq, Eq)]
pub enum Cancel {
    /// It was not published; it is gone.
    Dropped,
    /// Try to withdraw or revoke this publication, then say `withdrawn` or `detach`.
    Published { slot: u32, turn: u64 },
    /// Settled already.
    Unknown,
}

/// How a worker that is gone has left a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Its code never ran.
    Unstarted,
    Started,
    /// It ran, and the worker had to die for another task.
    Collateral,
}

/// What a failed attempt means for its task.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not counted: it waits again, before all others of its priority.
    Requeued(u32),
    /// It rests, and is tried again after `deadline`.
    Retried(u32),
    /// It is settled. `quarantined`: it has ended too many workers to be tried again.
    Rejected {
        id: u32,
        quarantined: bool,
    },
    /// It was settled before; only its slot came back.
    Settled,
    Unknown,
}

/// All tasks that were open, and the publications among them.
#[derive(Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Number, and the turn if it was published.
    pub tasks: Vec<(u32, Option<u64>)>,
    /// `(slot, turn)`.
    pub published: Vec<(u32, u64)>,
}

pub struct Tasks {
    table: Vec<Task>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    order: Order,
    waiting: usize,
    published: usize,
    trials: Trials,
    resting: usize,
    max_crashes: u32,
    next_place: u64,
    next_turn: u64,
    open: usize,
}

impl Tasks {
    /// `max_crashes`: a task that has ended so many workers is not tried again.
    pub fn new(slot_count: usize, first_turn: u64, max_crashes: u32) -> Self {
        Tasks {
            table: Vec::new(),
            slots: vec![Slot { turn: 0, holder: Holder::Nobody }; slot_count],
            free: (0..slot_count as u32).rev().collect(),
            order: Order::default(),
            waiting: 0,
            published: 0,
            trials: Trials::default(),
            resting: 0,
            max_crashes,
            next_place: 0,
            next_turn: first_turn,
            open: 0,
        }
    }

    /// Tasks not settled yet.
    pub fn open(&self) -> usize {
        self.open
    }

    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Tasks that have failed and wait for their next try.
    pub fn resting(&self) -> usize {
        self.resting
    }

    /// Unsettled tasks with a publication.
    pub fn published_count(&self) -> usize {
        self.published
    }

    /// A new task under a number that is not in use; it waits. False when the number is in use.
    pub fn submit(&mut self, id: u32, plan: Plan) -> bool {
        let index = id as usize;
        if index >= self.table.len() {
            self.table.resize(index + 1, VACANT);
        }
        if self.table[index].state != State::Vacant {
            return false;
        }
        let (priority, tried) = (plan.priority, plan.retries > 0);
        self.table[index] = Task { priority, tried, ..VACANT };
        if tried {
            self.trials.add(id, plan);
        }
        self.order.opened(priority);
        self.open += 1;
        self.wait(id, false);
        true
    }

    fn new_place(&mut self) -> u64 {
        self.next_place += 1;
        self.next_place
    }

    fn wait(&mut self, id: u32, first: bool) {
        let place = self.new_place();
        self.waiting += 1;
        let task = &mut self.table[id as usize];
        task.state = State::Waiting;
        task.place = place;
        match first {
            true => self.order.push_front(task.rank(), (id, place)),
            false => self.order.push_back(task.rank(), (id, place)),
        }
    }

    /// The turn that the next publication would get.
    pub fn next_turn(&self) -> u64 {
        self.next_turn
    }

    fn front(&mut self) -> Option<(Rank, u32)> {
        let Tasks { order, table, .. } = self;
        order.front(|ticket| waits(table, ticket)).map(|(rank, (id, _))| (rank, id))
    }

    /// Tasks differ in priority, or one will come back to go before others.
    pub fn is_narrow(&self) -> bool {
        self.resting > 0 || self.order.is_mixed(self.open)
    }

    /// Gives the first waiting task a slot and a turn; `None` when nothing waits, no slot is free, or, while some tasks may
    /// overtake others, `window` tasks are published: those can hardly be overtaken any more.
    pub fn publish_next(&mut self, window: usize) -> Option<(u32, u32, u64)> {
        if self.published >= window && self.is_narrow() {
            return None;
        }
        let (rank, id) = self.front()?;
        let slot = self.free.pop()?;
        self.order.pop(rank);
        self.waiting -= 1;
        self.published += 1;
        let turn = self.next_turn;
        self.next_turn += 1;
        self.table[id as usize].state = State::Published { slot, turn };
        self.slots[slot as usize] = Slot { turn, holder: Holder::Task(id) };
        Some((id, slot, turn))
    }

    /// Publications to take back if nobody has claimed them, last first: those that the first waiting task is to overtake,
    /// and what goes beyond `window`. None in the common case.
    pub fn to_take_back(&mut self, window: usize) -> Vec<(u32, u64)> {
        if self.waiting == 0 {
            return Vec::new();
        }
        let Some((first, _)) = self.front() else { return Vec::new() };
        let narrow = self.is_narrow();
        if !narrow && !first.1 {
            return Vec::new();
        }
        let mut published = self.published();
        published.sort_unstable_by_key(|(.., turn)| std::cmp::Reverse(*turn));
        let surplus = if narrow { published.len().saturating_sub(window) } else { 0 };
        let behind = |id: u32| self.table[id as usize].rank() < first;
        let goes = |(at, (id, ..)): &(usize, &(u32, u32, u64))| *at < surplus || behind(*id);
        published.iter().enumerate().filter(goes).map(|(_, (_, slot, turn))| (*slot, *turn)).collect()
    }

    /// A publication was taken back to wait again, where it came from.
    pub fn taken_back(&mut self, slot: u32, turn: u64) -> Option<u32> {
        let id = self.task_at(slot, turn)?;
        self.give_slot(slot);
        self.wait(id, true);
        Some(id)
    }

    fn holder(&self, slot: u32, turn: u64) -> Holder {
        match self.slots.get(slot as usize) {
            Some(held) if held.turn == turn => held.holder,
            _ => Holder::Nobody,
        }
    }

    /// The unsettled task that this publication stands for.
    pub fn task_at(&self, slot: u32, turn: u64) -> Option<u32> {
        match self.holder(slot, turn) {
            Holder::Task(id) => Some(id),
            _ => None,
        }
    }

    fn give_slot(&mut self, slot: u32) {
        let holder = std::mem::replace(&mut self.slots[slot as usize].holder, Holder::Nobody);
        self.published -= usize::from(matches!(holder, Holder::Task(_)));
        self.free.push(slot);
    }

    fn leave_slot(&mut self, slot: u32) {
        self.slots[slot as usize].holder = Holder::Settled;
        self.published -= 1;
    }

    fn vacate(&mut self, id: u32) {
        let task = &mut self.table[id as usize];
        task.state = State::Vacant;
        self.open -= 1;
        self.order.settled(task.priority);
        if task.tried {
            self.trials.remove(id);
        }
    }

    /// A worker ended the task: it is settled and its slot is free again.
    pub fn ended(&mut self, slot: u32, turn: u64) -> Option<u32> {
        let id = self.task_at(slot, turn)?;
        self.vacate(id);
        self.give_slot(slot);
        Some(id)
    }

    /// The task is settled now, while a worker still holds its slot.
    pub fn detach(&mut self, slot: u32, turn: u64) -> Option<u32> {
        let id = self.task_at(slot, turn)?;
        self.vacate(id);
        self.leave_slot(slot);
        Some(id)
    }

    /// A worker let go of a slot whose task was settled before.
    pub fn released(&mut self, slot: u32, turn: u64) -> bool {
        let settled = self.holder(slot, turn) == Holder::Settled;
        if settled {
            self.give_slot(slot);
        }
        settled
    }

    /// Where an unsettled task is published, if it is.
    pub fn publication(&self, id: u32) -> Option<(u32, u64)> {
        match self.table.get(id as usize)?.state {
            State::Published { slot, turn } => Some((slot, turn)),
            _ => None,
        }
    }

    pub fn cancel(&mut self, id: u32) -> Cancel {
        match self.table.get(id as usize).map(|task| task.state) {
            Some(State::Waiting) => {
                self.vacate(id);
                self.waiting -= 1;
                let Tasks { order, table, waiting, .. } = self;
                order.left(*waiting, |ticket| waits(table, ticket));
                Cancel::Dropped
            }
            Some(State::Resting) => {
                self.vacate(id);
                self.resting -= 1;
                Cancel::Dropped
            }
            Some(State::Published { slot, turn }) => Cancel::Published { slot, turn },
            _ => Cancel::Unknown,
        }
    }

    /// A publication was taken back before anybody claimed it.
    pub fn withdrawn(&mut self, slot: u32, turn: u64) -> Option<u32> {
        self.ended(slot, turn)
    }

    /// Gives up everything: all open tasks, settled by this call. Slots that workers hold come back by `lost` or
    /// `released`; the published ones are listed, so that the caller can take back what nobody has claimed.
    pub fn give_up(&mut self) -> GivenUp {
        self.order.clear();
        self.waiting = 0;
        self.resting = 0;
        let mut ids = Vec::new();
        let mut published = Vec::new();
        for id in 0..self.table.len() as u32 {
            let turn = match self.table[id as usize].state {
                State::Vacant => continue,
                State::Waiting | State::Resting => None,
                State::Published { slot, turn } => {
                    self.leave_slot(slot);
                    published.push((slot, turn));
                    Some(turn)
                }
            };
            self.vacate(id);
            ids.push((id, turn));
        }
        self.trials.clear();
        GivenUp { tasks: ids, published }
    }

    /// Unsettled tasks with a publication: number, slot, turn.
    pub fn published(&self) -> Vec<(u32, u32, u64)> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter_map(|(slot, held)| match held.holder {
                Holder::Task(id) => Some((id, slot as u32, held.turn)),
                _ => None,
            })
            .collect()
    }

    /// A new queue takes the place of the old one, of which nothing is left: every slot is free, turns start anew.
    pub fn restart(&mut self, first_turn: u64) {
        for slot in &mut self.slots {
            *slot = Slot { turn: 0, holder: Holder::Nobody };
        }
        self.free = (0..self.slots.len() as u32).rev().collect();
        self.published = 0;
        self.next_turn = first_turn;
    }
}

/// Whether a ticket is that of a task which waits, in that place.
fn waits(table: &[Task], (id, place): order::Ticket) -> bool {
    let task = &table[id as usize];
    task.state == State::Waiting && task.place == place
}

#[cfg(test)]
mod any_events_tests;
#[cfg(test)]
mod tests;
