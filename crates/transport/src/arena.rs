//! Blocks of a sparse segment. The bookkeeping ([`Blocks`]) is private to the side that hands blocks out; only the bytes
//! are shared. A block just given back is the next one handed out: its pages are touched and warm, which is five to ten
//! times cheaper than fresh ones. What nobody has wanted for a while is cooled: its pages go back to the system.

mod blocks;
mod budget;

pub use budget::Budget;

use crate::segment::{OutOfSegment, Segment};
use blocks::{Blocks, Given, Lent};
use std::sync::Arc;

/// With more than this in use, the next block is in no cache of this core any more. 1 MiB copied into blocks that go round
/// in 32 MiB took 50 µs, in 128 MiB 115 µs, streamed 50 µs in either; between processes the streamed copy wins earlier.
const WARM: u64 = 8 << 20;
const STREAM_FROM: usize = 256 * 1024;

/// Bytes and ranges given back to the system in one step: half a millisecond.
const STEP: u64 = 8 << 20;
const STEP_RANGES: usize = 256;
/// What is smaller has no page of its own, or is one of a system with larger pages.
const PAGE: u64 = 4096;

/// Memory that goes back to the system, step by step and on any thread: of free blocks, which are in nobody's hands until
/// [`Arena::cooled`] has them again (meanwhile the arena does with others), or of an arena that nobody takes blocks of.
pub struct Cooling {
    segment: Arc<Segment>,
    lent: Lent,
    /// What is left to do, last first; made with the first step, since it may have to sort many.
    ranges: Option<Vec<(u64, u64)>>,
}

fn whole_pages((at, len): (u64, u64)) -> Option<(u64, u64)> {
    let (first, end) = (at.next_multiple_of(PAGE), (at + len) / PAGE * PAGE);
    (first < end).then(|| (first, end - first))
}

impl Cooling {
    /// One step; false when all is done.
    pub fn step(&mut self) -> bool {
        let ranges =
            self.ranges.get_or_insert_with(|| self.lent.ranges().into_iter().filter_map(whole_pages).collect());
        let mut left = STEP;
        for _ in 0..STEP_RANGES {
            let Some((at, len)) = ranges.pop() else { break };
            // Far up in a sparse segment there is little. Whole pages: of others only the bytes would go.
            let now = len.min(left.max(len / 64 / PAGE * PAGE));
            self.segment.punch(at + len - now, now as usize);
            if now < len {
                ranges.push((at, len - now));
            }
            left = left.saturating_sub(now);
            if left == 0 {
                break;
            }
        }
        !ranges.is_empty()
    }

    /// Whole pages of these ranges, which are in no arena's books any more.
    pub fn of(segment: Arc<Segment>, ranges: Vec<(u64, u64)>) -> Self {
        let inside = ranges.into_iter().filter(|(at, len)| segment.range(*at, *len as usize).is_ok());
        let ranges = inside.filter_map(whole_pages).collect();
        Cooling { segment, lent: Lent::default(), ranges: Some(ranges) }
    }

    /// All pages but those of these ranges, in a segment whose arena is gone.
    pub fn all_but(segment: Arc<Segment>, mut held: Vec<(u64, u64)>) -> Self {
        held.sort_unstable();
        let mut free = Vec::new();
        let mut end = 0;
        for (at, len) in held {
            if at > end {
                free.push((end, at - end));
            }
            end = end.max(at.saturating_add(len));
        }
        let len = segment.len() as u64;
        if len > end {
            free.push((end, len - end));
        }
        Self::of(segment, free)
    }

    /// True for free blocks, which go back to their arena.
    pub fn is_lent(&self) -> bool {
        self.lent != Lent::default()
    }
}

/// A segment and its blocks, on the side that hands them out.
pub struct Arena {
    segment: Arc<Segment>,
    blocks: Blocks,
}

impl Arena {
    pub fn new(segment: Arc<Segment>) -> Self {
        let blocks = Blocks::new(segment.len() as u64);
        Arena { segment, blocks }
    }

    pub fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    pub fn used(&self) -> u64 {
        self.blocks.used()
    }

    /// A block that can be written to.
    fn take(&mut self, len: u64) -> Option<u64> {
        let at = self.blocks.take(len)?;
        let backed = |segment: &Segment| segment.back(at, len as usize);
        // What is kept for later blocks may be what is missing.
        if backed(&self.segment) || (self.cool() && backed(&self.segment)) {
            return Some(at);
        }
        self.give(at, len);
        None
    }

    /// A block that holds the parts one after the other.
    pub fn store(&mut self, parts: &[&[u8]]) -> Option<u64> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let at = self.take(len as u64)?;
        let cold = self.blocks.used() > WARM && len >= STREAM_FROM;
        let mut to = at;
        for part in parts {
            if cold { self.segment.stream_in(to, part) } else { self.segment.copy_in(to, part) }.ok()?;
            to += part.len() as u64;
        }
        Some(at)
    }

    /// A block of that size, for [`fill`](Self::fill).
    pub fn reserve(&mut self, len: u64) -> Option<u64> {
        self.take(len)
    }

    /// Writes a part of a reserved block; `at` is the offset in the arena.
    pub fn fill(&self, at: u64, part: &[u8]) -> Result<(), OutOfSegment> {
        self.segment.copy_in(at, part)
    }

    pub fn give(&mut self, at: u64, len: u64) {
        if let Given::Punch(size) = self.blocks.give(at, len) {
            self.segment.punch(at, size as usize);
        }
    }

    /// The free blocks whose memory was kept, if there are any, for somebody who gives it back to the system.
    pub fn lend(&mut self) -> Option<Cooling> {
        let lent = self.blocks.lend();
        (lent != Lent::default()).then(|| Cooling { segment: self.segment.clone(), lent, ranges: None })
    }

    /// The blocks that [`lend`](Self::lend) gave, their memory given back.
    pub fn cooled(&mut self, cooling: Cooling) {
        self.blocks.restore(cooling.lent);
    }

    /// Gives the memory of free blocks back at once, for when there is no other; false when none was kept.
    pub fn cool(&mut self) -> bool {
        let Some(mut cooling) = self.lend() else { return false };
        while cooling.step() {}
        self.cooled(cooling);
        true
    }

    pub fn read(&self, at: u64, into: &mut [u8]) -> Result<(), OutOfSegment> {
        self.segment.copy_out(at, into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::SMALLEST_ARENA;
    use proptest::prelude::*;

    #[test]
    fn cooling_leaves_what_is_in_use_and_gives_the_rest_back_to_the_system() {
        let segment = Arc::new(Segment::create_sparse("farm-test", SMALLEST_ARENA, SMALLEST_ARENA).unwrap());
        let mut arena = Arena::new(segment.clone());
        let bytes: Vec<u8> = (0..5000u32).map(|n| (n * 13) as u8).collect();
        let blocks: Vec<u64> = (0..1000).map(|_| arena.store(&[&bytes]).unwrap()).collect();
        let large = arena.store(&[&vec![1; 20 << 20]]).unwrap();
        assert!(segment.touched() > 25 << 20);
        for at in blocks.iter().skip(1).filter(|at| **at != blocks[500]) {
            arena.give(*at, 5000);
        }
        arena.give(large, 20 << 20);
        let mut cooling = arena.lend().unwrap();
        assert!(arena.lend().is_none());
        // While they are away others are handed out.
        let meanwhile = arena.store(&[&bytes]).unwrap();
        assert!(!blocks.contains(&meanwhile));
        let mut steps = 1;
        while cooling.step() {
            steps += 1;
        }
        assert!(steps > 2, "no long stall: {steps} steps");
        arena.cooled(cooling);
        assert!(segment.touched() <= 64 << 10, "{} bytes are touched", segment.touched());
        for at in [blocks[0], blocks[500], meanwhile] {
            let mut back = vec![0; 5000];
            arena.read(at, &mut back).unwrap();
            assert_eq!(back, bytes);
        }
        assert!(blocks.contains(&arena.store(&[&bytes]).unwrap()));
    }

    #[test]
    fn no_step_ends_within_a_page() {
        let segment = Arc::new(Segment::create("farm-test", 64 << 20).unwrap());
        segment.copy_in(0, &vec![7; 25 << 20]).unwrap();
        // The last step in what lies behind ends where that begins.
        let mut cooling = Cooling::all_but(segment.clone(), vec![(24_847_254, 314_475)]);
        while cooling.step() {}
        assert_eq!(segment.touched(), 78 * PAGE);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_held_of_an_arena_that_is_gone_stays_and_the_rest_goes(
            places in proptest::collection::vec((0u64..900_000, 1u64..100_000), 0..12)
        ) {
            let segment = Arc::new(Segment::create("farm-test", 64 << 20).unwrap());
            let bytes: Vec<u8> = (0..1_000_000u32).map(|n| (n >> 3) as u8 | 1).collect();
            segment.copy_in(0, &bytes).unwrap();
            let mut cooling = Cooling::all_but(segment.clone(), places.clone());
            prop_assert!(!cooling.is_lent());
            while cooling.step() {}
            for (at, len) in &places {
                let mut back = vec![0; *len as usize];
                segment.copy_out(*at, &mut back).unwrap();
                prop_assert!(back == bytes[*at as usize..(*at + *len) as usize]);
            }
            // A page at each end may be shared with a neighbour.
            let held: u64 = places.iter().map(|(_, len)| len + 2 * PAGE).sum();
            prop_assert!(segment.touched() <= held, "{} of {held} bytes", segment.touched());
            let mut rest = Cooling::of(segment.clone(), places);
            while rest.step() {}
            prop_assert!(segment.touched() <= 24 * PAGE, "{} bytes", segment.touched());
        }
    }
}
