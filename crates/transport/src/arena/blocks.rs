//! Which bytes of an arena are in use, and which free ones are touched. Pure bookkeeping: it never looks at the memory.

const SMALLEST: u64 = 512;
/// From this size a block's memory is given back to the system at once. Below it that costs more than anything else: 10 MiB
/// there and back took 33 ms of CPU time with fresh pages each time, 7 ms with touched ones.
const PUNCH_FROM: u64 = 64 << 20;
/// Free blocks kept touched, in bytes, before further ones are given back to the system too.
const KEEP_WARM: u64 = 256 << 20;

/// Size classes of powers of two, last in first out.
pub struct Blocks {
    capacity: u64,
    top: u64,
    used: u64,
    warm: u64,
    /// Per size class: offset, and whether the memory was kept. Those whose memory was not come first, so they are used last.
    free: Vec<Vec<(u64, bool)>>,
}

fn class(len: u64) -> usize {
    (len.max(SMALLEST).next_power_of_two() / SMALLEST).trailing_zeros() as usize
}

fn class_size(class: usize) -> u64 {
    SMALLEST << class
}

/// What to do with the memory of a block that came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Given {
    KeptWarm,
    /// Give this many bytes from the block's start back to the system.
    Punch(u64),
}

/// Free blocks that are nobody's while their memory goes back to the system: offset and size of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lent(Vec<(u64, u64)>);

impl Lent {
    /// Their bytes as few ranges, in order. A page may hold several small blocks.
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (at, size) in sorted {
            match ranges.last_mut() {
                Some((start, len)) if *start + *len == at => *len += size,
                _ => ranges.push((at, size)),
            }
        }
        ranges
    }
}

impl Blocks {
    pub fn new(capacity: u64) -> Self {
        let free = (0..=class(capacity)).map(|_| Vec::new()).collect();
        Blocks { capacity, top: 0, used: 0, warm: 0, free }
    }

    /// Bytes in blocks that are handed out.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Offset of a block of at least `len` bytes; `None` when the address space is full.
    pub fn take(&mut self, len: u64) -> Option<u64> {
        if len > self.capacity {
            return None;
        }
        let class = class(len);
        let size = class_size(class);
        let at = match self.free[class].pop() {
            Some((at, kept)) => {
                self.warm -= if kept { size } else { 0 };
                at
            }
            None => {
                let at = self.top;
                self.top = at.checked_add(size).filter(|end| *end <= self.capacity)?;
                at
            }
        };
        self.used += size;
        Some(at)
    }

    /// Takes back the block that `take(len)` gave.
    pub fn give(&mut self, at: u64, len: u64) -> Given {
        let class = class(len);
        let size = class_size(class);
        self.used = self.used.saturating_sub(size);
        let punch = size >= PUNCH_FROM || self.warm + size > KEEP_WARM;
        if punch {
            self.free[class].insert(0, (at, false));
            Given::Punch(size)
        } else {
            self.warm += size;
            self.free[class].push((at, true));
            Given::KeptWarm
        }
    }

    /// The free blocks whose memory was kept: until [`restore`](Self::restore) they are not handed out.
    pub fn lend(&mut self) -> Lent {
        let mut lent = Vec::new();
        for (class, free) in self.free.iter_mut().enumerate() {
            let first = free.partition_point(|(_, kept)| !kept);
            lent.extend(free.drain(first..).map(|(at, _)| (at, class_size(class))));
            // After a crowd of small ones the list itself is not small.
            free.shrink_to_fit();
        }
        self.warm = 0;
        Lent(lent)
    }

    /// Their memory is gone; they are free as before.
    pub fn restore(&mut self, lent: Lent) {
        // As they were lent: by size.
        for same in lent.0.chunk_by(|a, b| a.1 == b.1) {
            let cold = same.iter().map(|(at, _)| (*at, false));
            self.free[class(same[0].1)].splice(0..0, cold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_block_given_back_last_is_the_next_one() {
        let mut blocks = Blocks::new(1 << 30);
        let a = blocks.take(1000).unwrap();
        let b = blocks.take(1000).unwrap();
        assert_eq!(blocks.give(a, 1000), Given::KeptWarm);
        assert_eq!(blocks.give(b, 1000), Given::KeptWarm);
        assert_eq!(blocks.take(900), Some(b));
        assert_eq!(blocks.take(900), Some(a));
    }

    #[test]
    fn a_large_block_is_punched_and_reused_after_warm_ones() {
        let mut blocks = Blocks::new(1 << 34);
        let at = blocks.take(40 << 20).unwrap();
        assert_eq!(blocks.give(at, 40 << 20), Given::Punch(64 << 20));
        assert_eq!(blocks.used(), 0);
        let kept = blocks.take(32 << 20).unwrap();
        assert_eq!(blocks.give(kept, 32 << 20), Given::KeptWarm);
        assert_eq!(blocks.take(33 << 20), Some(at));
    }

    #[test]
    fn what_was_kept_is_lent_and_comes_back_as_the_last_choice() {
        let mut blocks = Blocks::new(1 << 34);
        let (used, small, large) = (blocks.take(1000), blocks.take(1000).unwrap(), blocks.take(20 << 20).unwrap());
        blocks.give(small, 1000);
        blocks.give(large, 20 << 20);
        let lent = blocks.lend();
        assert_eq!(lent.ranges(), [(small, 1024 + (32 << 20))]);
        assert_eq!(blocks.lend(), Lent::default());
        let other = blocks.take(1000).unwrap();
        assert!(other != small && Some(other) != used);
        assert_eq!(blocks.give(other, 1000), Given::KeptWarm);
        blocks.restore(lent);
        assert_eq!(blocks.used(), 1024);
        assert_eq!([blocks.take(1000), blocks.take(1000)], [Some(other), Some(small)]);
        assert_eq!(blocks.take(20 << 20), Some(large));
    }

    #[test]
    fn a_full_arena_says_so() {
        let mut blocks = Blocks::new(4096);
        assert_eq!(blocks.take(8192), None);
        assert!(blocks.take(4096).is_some());
        assert_eq!(blocks.take(1), None);
    }

    #[test]
    fn no_more_than_the_limit_stays_touched_whatever_goes_round_beside_it() {
        let mut blocks = Blocks::new(1 << 36);
        let small: Vec<u64> = (0..300).map(|_| blocks.take(1 << 20).unwrap()).collect();
        let mut kept = 0;
        for at in small {
            let large = blocks.take(40 << 20).unwrap();
            blocks.give(large, 40 << 20);
            kept += u64::from(blocks.give(at, 1 << 20) == Given::KeptWarm) << 20;
        }
        assert_eq!(kept, KEEP_WARM);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Take(u64),
        /// Of the blocks in use that one.
        Give(usize),
        Lend,
        Restore,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let len = prop_oneof![1u64..100_000, (1u64 << 20)..(80 << 20)];
        let step = prop_oneof![
            6 => len.prop_map(Step::Take),
            6 => any::<usize>().prop_map(Step::Give),
            1 => Just(Step::Lend),
            1 => Just(Step::Restore),
        ];
        proptest::collection::vec(step, 1..200)
    }

    proptest! {
        /// Of blocks in use and lent ones no two overlap, whenever they are taken, given back, lent and restored; and
        /// what stays touched without being in use is only what fits the limit.
        #[test]
        fn no_byte_is_in_two_hands(steps in steps()) {
            let mut blocks = Blocks::new(1 << 40);
            let mut live: Vec<(u64, u64)> = Vec::new();
            let mut away: Vec<Lent> = Vec::new();
            let mut touched: std::collections::HashMap<u64, u64> = std::collections::HashMap::new();
            for step in steps {
                match step {
                    Step::Take(len) => {
                        let at = blocks.take(len).unwrap();
                        let mut taken = live.iter().copied().chain(away.iter().flat_map(Lent::ranges));
                        prop_assert!(taken.all(|(other, size)| at + len <= other || other + size <= at));
                        touched.remove(&at);
                        live.push((at, len));
                    }
                    Step::Give(_) if live.is_empty() => {}
                    Step::Give(which) => {
                        let (at, len) = live.swap_remove(which % live.len());
                        if blocks.give(at, len) == Given::KeptWarm {
                            touched.insert(at, len.next_power_of_two().max(SMALLEST));
                        }
                    }
                    Step::Lend => {
                        let lent = blocks.lend();
                        let bytes: u64 = lent.ranges().iter().map(|(_, len)| len).sum();
                        prop_assert_eq!(bytes, touched.values().sum::<u64>());
                        touched.clear();
                        away.push(lent);
                    }
                    Step::Restore => away.pop().into_iter().for_each(|lent| blocks.restore(lent)),
                }
                let used: u64 = live.iter().map(|(_, len)| len.next_power_of_two().max(SMALLEST)).sum();
                prop_assert_eq!(blocks.used(), used);
                prop_assert!(touched.values().sum::<u64>() <= KEEP_WARM);
            }
            // Nothing was lost on the way: with all of it free again no new address space is needed.
            away.into_iter().for_each(|lent| blocks.restore(lent));
            let top = blocks.top;
            let lens: Vec<u64> = live.iter().map(|(_, len)| *len).collect();
            live.into_iter().for_each(|(at, len)| { blocks.give(at, len); });
            lens.into_iter().for_each(|len| { blocks.take(len); });
            prop_assert_eq!(blocks.top, top);
        }
    }
}
