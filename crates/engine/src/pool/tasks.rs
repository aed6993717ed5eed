//! What becomes of each task until it is settled, exactly once: waiting, published in a slot, or a slot whose task is
//! settled while a worker still holds it. Owned by the parent's JavaScript thread. Knows tasks by the caller's number and
//! published ones by `(slot, turn)`; a pair that is not current is somebody's mistake and changes nothing.

use std::collections::VecDeque;

/// Times a task may be lost before it was started without that counting as an attempt.
const FREE_LOSSES: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Vacant,
    Waiting,
    Published { slot: u32, turn: u64 },
}

#[derive(Debug, Clone, Copy)]
struct Task {
    state: State,
    losses: u8,
    /// Tells this task's place in line from one that an earlier task of the same number left.
    place: u64,
}

const VACANT: Task = Task { state: State::Vacant, losses: 0, place: 0 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    Task(u32),
    /// The task is settled; a worker has not let go of the slot yet.
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

/// What a loss means for the task.
#[derive(Debug, PartialEq, Eq)]
pub enum Lost {
    /// It never started: it waits again, before all others.
    Requeued(u32),
    /// It is settled as a crash.
    Rejected(u32),
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
    /// Number and place; a dropped task leaves both behind.
    waiting: VecDeque<(u32, u64)>,
    waiting_count: usize,
    next_place: u64,
    next_turn: u64,
    open: usize,
}

impl Tasks {
    pub fn new(slot_count: usize, first_turn: u64) -> Self {
        Tasks {
            table: Vec::new(),
            slots: vec![Slot { turn: 0, holder: Holder::Nobody }; slot_count],
            free: (0..slot_count as u32).rev().collect(),
            waiting: VecDeque::new(),
            waiting_count: 0,
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
        self.waiting_count
    }

    /// A new task under a number that is not in use; it waits. False when the number is in use.
    pub fn submit(&mut self, id: u32) -> bool {
        let index = id as usize;
        if index >= self.table.len() {
            self.table.resize(index + 1, VACANT);
        }
        if self.table[index].state != State::Vacant {
            return false;
        }
        let place = self.new_place();
        self.table[index] = Task { state: State::Waiting, losses: 0, place };
        self.waiting.push_back((id, place));
        self.open += 1;
        true
    }

    fn new_place(&mut self) -> u64 {
        self.next_place += 1;
        self.waiting_count += 1;
        self.next_place
    }

    /// The turn that the next publication would get.
    pub fn next_turn(&self) -> u64 {
        self.next_turn
    }

    /// Gives the first waiting task a slot and a turn; `None` when nothing waits or no slot is free.
    pub fn publish_next(&mut self) -> Option<(u32, u32, u64)> {
        while let Some((id, place)) = self.waiting.front() {
            let task = &self.table[*id as usize];
            if task.state == State::Waiting && task.place == *place {
                break;
            }
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            return None;
        }
        let slot = self.free.pop()?;
        let (id, _) = self.waiting.pop_front()?;
        self.waiting_count -= 1;
        let turn = self.next_turn;
        self.next_turn += 1;
        self.table[id as usize].state = State::Published { slot, turn };
        self.slots[slot as usize] = Slot { turn, holder: Holder::Task(id) };
        Some((id, slot, turn))
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
        self.slots[slot as usize].holder = Holder::Nobody;
        self.free.push(slot);
    }

    fn vacate(&mut self, id: u32) {
        self.table[id as usize].state = State::Vacant;
        self.open -= 1;
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
        self.slots[slot as usize].holder = Holder::Settled;
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
                self.waiting_count -= 1;
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

    /// The worker that held this publication is gone. `started`: its code ran.
    pub fn lost(&mut self, slot: u32, turn: u64, started: bool) -> Lost {
        match self.holder(slot, turn) {
            Holder::Nobody => Lost::Unknown,
            Holder::Settled => {
                self.give_slot(slot);
                Lost::Settled
            }
            Holder::Task(id) => {
                self.give_slot(slot);
                if started || self.table[id as usize].losses >= FREE_LOSSES {
                    self.vacate(id);
                    return Lost::Rejected(id);
                }
                let place = self.new_place();
                let task = &mut self.table[id as usize];
                *task = Task { state: State::Waiting, losses: task.losses + 1, place };
                self.waiting.push_front((id, place));
                Lost::Requeued(id)
            }
        }
    }

    /// Gives up everything: all open tasks, settled by this call. Slots that workers hold come back by `lost` or
    /// `released`; the published ones are listed, so that the caller can take back what nobody has claimed.
    pub fn give_up(&mut self) -> GivenUp {
        self.waiting.clear();
        self.waiting_count = 0;
        let mut ids = Vec::new();
        let mut published = Vec::new();
        for id in 0..self.table.len() as u32 {
            let turn = match self.table[id as usize].state {
                State::Vacant => continue,
                State::Waiting => None,
                State::Published { slot, turn } => {
                    self.slots[slot as usize].holder = Holder::Settled;
                    published.push((slot, turn));
                    Some(turn)
                }
            };
            self.vacate(id);
            ids.push((id, turn));
        }
        GivenUp { tasks: ids, published }
    }

    /// Unsettled tasks with a publication: number, slot, turn.
    pub fn published(&self) -> Vec<(u32, u32, u64)> {
        let states = self.table.iter().enumerate();
        states
            .filter_map(|(id, task)| match task.state {
                State::Published { slot, turn } => Some((id as u32, slot, turn)),
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
        self.next_turn = first_turn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(count: u32, slots: usize) -> Tasks {
        let mut tasks = Tasks::new(slots, 100);
        for id in 0..count {
            assert!(tasks.submit(id));
        }
        tasks
    }

    #[test]
    fn tasks_start_in_order_and_slots_are_reused_out_of_order() {
        let mut tasks = with(3, 2);
        let (a, slot_a, turn_a) = tasks.publish_next().unwrap();
        let (b, slot_b, turn_b) = tasks.publish_next().unwrap();
        assert_eq!((a, b, turn_a, turn_b), (0, 1, 100, 101));
        assert_eq!(tasks.publish_next(), None);
        assert_eq!(tasks.ended(slot_b, turn_b), Some(1));
        assert_eq!(tasks.publish_next(), Some((2, slot_b, 102)));
        assert_eq!(tasks.task_at(slot_a, turn_a), Some(0));
        assert_eq!(tasks.open(), 2);
    }

    #[test]
    fn a_second_settlement_changes_nothing() {
        let mut tasks = with(1, 1);
        let (_, slot, turn) = tasks.publish_next().unwrap();
        assert_eq!(tasks.ended(slot, turn), Some(0));
        assert_eq!(tasks.ended(slot, turn), None);
        assert_eq!(tasks.lost(slot, turn, true), Lost::Unknown);
        assert!(!tasks.released(slot, turn));
        assert_eq!(tasks.open(), 0);
    }

    #[test]
    fn a_timed_out_task_keeps_its_slot_until_the_worker_lets_go() {
        let mut tasks = with(2, 1);
        let (_, slot, turn) = tasks.publish_next().unwrap();
        assert_eq!(tasks.detach(slot, turn), Some(0));
        assert_eq!(tasks.publish_next(), None);
        assert!(tasks.released(slot, turn));
        assert_eq!(tasks.publish_next().map(|(id, ..)| id), Some(1));
    }

    #[test]
    fn a_task_that_never_started_goes_to_the_front_but_not_for_ever() {
        let mut tasks = with(2, 1);
        for _ in 0..FREE_LOSSES {
            let (id, slot, turn) = tasks.publish_next().unwrap();
            assert_eq!(id, 0);
            assert_eq!(tasks.lost(slot, turn, false), Lost::Requeued(0));
        }
        let (_, slot, turn) = tasks.publish_next().unwrap();
        assert_eq!(tasks.lost(slot, turn, false), Lost::Rejected(0));
        assert_eq!(tasks.publish_next().map(|(id, ..)| id), Some(1));
    }

    #[test]
    fn cancel_tells_waiting_from_published() {
        let mut tasks = with(2, 1);
        let (_, slot, turn) = tasks.publish_next().unwrap();
        assert_eq!(tasks.cancel(1), Cancel::Dropped);
        assert_eq!(tasks.cancel(1), Cancel::Unknown);
        assert_eq!(tasks.cancel(0), Cancel::Published { slot, turn });
        assert_eq!(tasks.withdrawn(slot, turn), Some(0));
        assert_eq!((tasks.open(), tasks.waiting()), (0, 0));
    }

    #[test]
    fn giving_up_settles_everything_once() {
        let mut tasks = with(3, 1);
        let (_, slot, turn) = tasks.publish_next().unwrap();
        let given = tasks.give_up();
        assert_eq!(given.tasks, [(0, Some(turn)), (1, None), (2, None)]);
        assert_eq!(given.published, [(slot, turn)]);
        assert_eq!(tasks.lost(slot, turn, true), Lost::Settled);
        assert_eq!(tasks.open(), 0);
    }
}
