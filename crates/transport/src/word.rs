//! The two words that carry the queue: an entry gives order, a state says who may do what with a slot. Both contain the
//! turn (a task's position in the queue, given once), so that a word of an earlier lap is never mistaken for this one's.

const TURN_BITS: u32 = 44;
const TURN_MASK: u64 = (1 << TURN_BITS) - 1;
const SLOT_BITS: u32 = 20;

/// In an entry: nothing to claim here, go on.
pub const NO_SLOT: u32 = (1 << SLOT_BITS) - 1;

/// `turn:44 | slot:20`.
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

/// `turn:44 | owner:16 | kind:4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(pub u64);

impl State {
    pub fn new(turn: u64, owner: u16, kind: Kind) -> Self {
        State((turn & TURN_MASK) << 20 | u64::from(owner) << 4 | kind as u64)
    }

    pub fn turn(self) -> u64 {
        self.0 >> 20
    }

    pub fn owner(self) -> u16 {
        (self.0 >> 4) as u16
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
        let state = State::new(TURN_MASK - 1, u16::MAX, Kind::Revoked);
        assert_eq!((state.turn(), state.owner(), state.kind()), (TURN_MASK - 1, u16::MAX, Kind::Revoked));
        assert_eq!(State(0).kind(), Kind::Free);
        assert_eq!(State(u64::MAX).kind(), Kind::Broken);
    }
}
