//! Who waits, in which order: the higher priority first, within one those that are tried again, then first in first out. And
//! how many priorities there are among the open tasks, since that decides how far ahead may be published.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Number and place; a task that waits no more leaves both behind.
pub type Ticket = (u32, u64);

/// Priority, and whether this is not its first attempt.
pub type Rank = (i16, bool);

const PLAIN: Rank = (0, false);

#[derive(Default)]
pub struct Order {
    /// Of the rank that nearly all tasks have.
    plain: VecDeque<Ticket>,
    others: BTreeMap<Reverse<Rank>, VecDeque<Ticket>>,
    /// Open tasks by priority, 0 left out.
    odd: BTreeMap<i16, usize>,
    odd_open: usize,
    /// Tickets of tasks that wait no more, at most.
    stale: usize,
}

/// So many are not worth looking for.
const FEW: usize = 64;

impl Order {
    fn line(&mut self, rank: Rank) -> &mut VecDeque<Ticket> {
        match rank {
            PLAIN => &mut self.plain,
            other => self.others.entry(Reverse(other)).or_default(),
        }
    }

    pub fn push_back(&mut self, rank: Rank, ticket: Ticket) {
        self.line(rank).push_back(ticket);
    }

    pub fn push_front(&mut self, rank: Rank, ticket: Ticket) {
        self.line(rank).push_front(ticket);
    }

    /// The first ticket that is still good, and its rank; those before it are dropped.
    pub fn front(&mut self, good: impl Fn(Ticket) -> bool) -> Option<(Rank, Ticket)> {
        let plain = first(&mut self.plain, &good).map(|ticket| (PLAIN, ticket));
        while let Some(mut line) = self.others.first_entry() {
            let rank = line.key().0;
            if rank < PLAIN && plain.is_some() {
                break;
            }
            if let Some(ticket) = first(line.get_mut(), &good) {
                return Some((rank, ticket));
            }
            line.remove();
        }
        plain
    }

    /// Takes what `front` has found.
    pub fn pop(&mut self, rank: Rank) {
        self.line(rank).pop_front();
    }

    pub fn opened(&mut self, priority: i16) {
        if priority != 0 {
            *self.odd.entry(priority).or_default() += 1;
            self.odd_open += 1;
        }
    }

    pub fn settled(&mut self, priority: i16) {
        if priority == 0 {
            return;
        }
        self.odd_open -= 1;
        if let Some(count) = self.odd.get_mut(&priority) {
            *count -= 1;
            if *count == 0 {
                self.odd.remove(&priority);
            }
        }
    }

    /// True when not all open tasks have the same priority.
    pub fn is_mixed(&self, open: usize) -> bool {
        !self.odd.is_empty() && self.odd.len() + usize::from(open > self.odd_open) > 1
    }

    /// A task has left its place in line, where `waiting` others wait. Its ticket stays until it comes to the front, unless
    /// most tickets are such.
    pub fn left(&mut self, waiting: usize, good: impl Fn(Ticket) -> bool) {
        self.stale += 1;
        if self.stale <= waiting.max(FEW) {
            return;
        }
        self.stale = 0;
        self.plain.retain(|ticket| good(*ticket));
        self.plain.shrink_to(2 * self.plain.len());
        self.others.values_mut().for_each(|line| line.retain(|ticket| good(*ticket)));
        self.others.retain(|_, line| !line.is_empty());
    }

    #[cfg(test)]
    pub fn tickets(&self) -> usize {
        self.plain.len() + self.others.values().map(VecDeque::len).sum::<usize>()
    }

    pub fn clear(&mut self) {
        self.plain.clear();
        self.others.clear();
        self.stale = 0;
    }
}

fn first(line: &mut VecDeque<Ticket>, good: impl Fn(Ticket) -> bool) -> Option<Ticket> {
    while let Some(ticket) = line.front() {
        if good(*ticket) {
            return Some(*ticket);
        }
        line.pop_front();
    }
    None
}
