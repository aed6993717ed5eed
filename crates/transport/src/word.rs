//! The two words that carry the queue: an entry gives order, a state says who may do what with a slot. Both contain the
//! turn (a task's position in the queue, given once), so that a word of an earlier lap is never mistaken for this one's.

use crate::layout::{MAX_WORKERS, SLOTS};

/// A million tasks a second take 35 years to use these up.
const TURN_BITS: u32 = 50;
const TURN_MASK: u64 = (1 << TURN_BITS) - 1;
/// What lies below the turn, in both words.
const SLOT_BITS: u32 = u64::BITS - TURN_BITS;
const KIND_BITS: u32 = 4;
const OWNER_MASK: u16 = (1 << (SLOT_BITS - KIND_BITS)) - 1;

/// In an entry: nothing to claim here, go on.
pub const NO_SLOT: u32 = (1 << SLOT_BITS) - 1;

const _: () = assert!(SLOTS <= NO_SLOT as usize);
const _: () = assert!(MAX_WORKERS <= OWNER_MASK as usize + 1);

/// `turn:50 | slot:14`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(pub u64);

impl Entry {
    pub fn new(turn: u64, slot: u32) -> Self {
        Entry((turn & TURN_MASK) << SLOT_BITS | u64::from(slot & NO_SLOT))
    }

    pub fn turn(self) -> u64 {
        self.0 >> SLOT_BITS
    }

    pub fn slot(self) -> u32 {
        (self.0 as u32) & NO_SLOT
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// On the parent's private free list.
    Free = 0,
    /// Published; any worker may claim it, the parent may withdraw it.
    Ready = 1,
    /// A worker runs it; the worker ends it or somebody revokes it.
    Claimed = 2,
    /// The worker has ended it; its reply is in the ring or about to be.
    Done = 3,
    /// Its fate is settled elsewhere; the worker that still holds it publishes no result.
    Revoked = 4,
    /// The worker has let go of a revoked task.
    Released = 5,
    /// Taken back before anybody claimed it.
    Withdrawn = 6,
    /// No state at all: somebody wrote over it.
    Broken = 15,
}

/// `turn:50 | owner:10 | kind:4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(pub u64);

impl State {
    pub fn new(turn: u64, owner: u16, kind: Kind) -> Self {
        State((turn & TURN_MASK) << SLOT_BITS | u64::from(owner & OWNER_MASK) << KIND_BITS | kind as u64)
    }

    pub fn turn(self) -> u64 {
        self.0 >> SLOT_BITS
    }

    pub fn owner(self) -> u16 {
        (self.0 >> KIND_BITS) as u16 & OWNER_MASK
    }

    pub fn kind(self) -> Kind {
        match self.0 & 15 {
            0 => Kind::Free,
            1 => Kind::Ready,
            2 => Kind::Claimed,
            3 => Kind::Done,
            4 => Kind::Revoked,
            5 => Kind::Released,
            6 => Kind::Withdrawn,
            _ => Kind::Broken,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn words_give_back_what_they_were_made_of() {
        let entry = Entry::new(TURN_MASK, 12345);
        assert_eq!((entry.turn(), entry.slot()), (TURN_MASK, 12345));
        let last = (MAX_WORKERS - 1) as u16;
        let state = State::new(TURN_MASK - 1, last, Kind::Revoked);
        assert_eq!((state.turn(), state.owner(), state.kind()), (TURN_MASK - 1, last, Kind::Revoked));
        assert_eq!(State(0).kind(), Kind::Free);
        assert_eq!(State(u64::MAX).kind(), Kind::Broken);
    }

    #[test]
    fn no_field_reaches_into_its_neighbour() {
        assert_eq!(Entry::new(0, u32::MAX).turn(), 0);
        assert_eq!(State::new(0, u16::MAX, Kind::Broken).turn(), 0);
        assert_eq!(State::new(TURN_MASK, 0, Kind::Free).owner(), 0);
        // Every word of the years to come is another one.
        let years = 1_000_000 * 3600 * 24 * 365 * 35;
        assert_ne!(Entry::new(years, 1), Entry::new(years & ((1 << 44) - 1), 1));
        assert_eq!(Entry::new(years, 1).turn(), years);
    }
}
