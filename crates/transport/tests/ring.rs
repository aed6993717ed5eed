//! The byte ring against a model of it, and against another side that writes whatever it likes.
#![cfg(not(loom))]

use farm_transport::{Consumer, Producer};
use proptest::prelude::*;
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::Arc;

const CAPACITY: usize = 128;
/// Bytes on both sides of the ring that nobody may touch.
const MARGIN: usize = 64;
const UNTOUCHED: u8 = 0xa5;

struct Memory {
    head: AtomicU64,
    tail: AtomicU64,
    data: UnsafeCell<[u8; CAPACITY + 2 * MARGIN]>,
}

// SAFETY: each test below uses it from one thread.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    fn write(&self, bytes: &[u8]) {
        for (at, byte) in bytes.iter().take(CAPACITY).enumerate() {
            // SAFETY: inside the array, and no reference to it lives.
            unsafe { (*self.data.get())[MARGIN + at] = *byte };
        }
    }

    fn margins_are_untouched(&self) -> bool {
        // SAFETY: no reference to it lives.
        let data = unsafe { *self.data.get() };
        data[..MARGIN].iter().chain(&data[MARGIN + CAPACITY..]).all(|byte| *byte == UNTOUCHED)
    }
}

fn ring() -> (Arc<Memory>, Producer, Consumer) {
    let mut data = [UNTOUCHED; CAPACITY + 2 * MARGIN];
    data[MARGIN..MARGIN + CAPACITY].fill(0);
    let memory = Arc::new(Memory { head: AtomicU64::new(0), tail: AtomicU64::new(0), data: UnsafeCell::new(data) });
    // SAFETY: the array has CAPACITY bytes behind the margin, both ends keep it, and one end of each kind is made.
    unsafe {
        let at = memory.data.get().cast::<u8>().add(MARGIN);
        let producer = Producer::new(&memory.head, &memory.tail, at, CAPACITY, memory.clone());
        let consumer = Consumer::new(&memory.head, &memory.tail, at, CAPACITY, memory.clone());
        (memory, producer, consumer)
    }
}

/// Takes the next frame in two reads, the second from the middle of it.
fn take(consumer: &mut Consumer) -> Option<(u32, Vec<u8>)> {
    let (tag, len) = consumer.peek().unwrap()?;
    let mut bytes = vec![0; len];
    let (first, second) = bytes.split_at_mut(len / 2);
    consumer.read(0, first);
    consumer.read(len / 2, second);
    consumer.advance(len);
    Some((tag, bytes))
}

#[derive(Debug, Clone)]
enum Step {
    Push(u32, Vec<Vec<u8>>),
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let part = proptest::collection::vec(any::<u8>(), 0..60);
    let push = (any::<u32>(), proptest::collection::vec(part, 0..4)).prop_map(|(tag, parts)| Step::Push(tag, parts));
    prop_oneof![push, Just(Step::Take)]
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(steps in proptest::collection::vec(step(), 1..200)) {
        let (memory, mut producer, mut consumer) = ring();
        let mut model: VecDeque<(u32, Vec<u8>)> = VecDeque::new();
        let size = |len: usize| (8 + len).next_multiple_of(8);
        for step in steps {
            match step {
                Step::Push(tag, parts) => {
                    let bytes = parts.concat();
                    let used: usize = model.iter().map(|(_, bytes)| size(bytes.len())).sum();
                    let fits = used + size(bytes.len()) <= CAPACITY;
                    prop_assert_eq!(producer.has_room(bytes.len()), fits);
                    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                    prop_assert_eq!(producer.push(tag, &parts), fits);
                    if fits {
                        model.push_back((tag, bytes));
                    }
                }
                Step::Take => prop_assert_eq!(take(&mut consumer), model.pop_front()),
            }
            let used: usize = model.iter().map(|(_, bytes)| size(bytes.len())).sum();
            prop_assert_eq!((producer.unread(), consumer.used()), (used as u64, used as u64));
            prop_assert_eq!(consumer.is_empty(), model.is_empty());
        }
        prop_assert!(memory.margins_are_untouched());
    }

    /// The reader of a ring whose writer lies: an error, nothing, or a frame that fits into the ring.
    #[test]
    fn a_lying_writer_harms_nobody(
        lies in proptest::collection::vec((any::<u64>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..CAPACITY)), 1..50)
    ) {
        let (memory, _producer, mut consumer) = ring();
        let mut taken = 0u64;
        for (head, near, bytes) in lies {
            memory.write(&bytes);
            memory.head.store(if near { taken.wrapping_add(head % 20 * 8) } else { head }, Release);
            // Fewer frames than the ring can hold, whatever the lie.
            for _ in 0..CAPACITY / 8 {
                let Ok(Some((_, len))) = consumer.peek() else { break };
                prop_assert!(len + 8 <= CAPACITY);
                let mut frame = vec![0; len];
                consumer.read(0, &mut frame);
                consumer.advance(len);
                taken = memory.tail.load(Acquire);
            }
            prop_assert!(memory.margins_are_untouched());
        }
    }

    /// The writer of a ring whose reader lies writes inside the ring only, and never more than fits.
    #[test]
    fn a_lying_reader_harms_nobody(lies in proptest::collection::vec((any::<u64>(), 0..4u8, 0usize..200), 1..50)) {
        let (memory, mut producer, _consumer) = ring();
        for (tail, kind, len) in lies {
            let head = memory.head.load(Acquire);
            let tail = match kind {
                0 => tail,
                1 => head.wrapping_add(tail % 16),
                2 => head.wrapping_sub(tail % 256),
                _ => head,
            };
            memory.tail.store(tail, Release);
            let pushed = producer.push(1, &[&vec![7; len]]);
            prop_assert!(!pushed || 8 + len <= CAPACITY, "a frame of {} bytes went into {}", len, CAPACITY);
            prop_assert!(producer.unread() <= CAPACITY as u64);
            prop_assert!(memory.margins_are_untouched());
        }
    }
}

#[test]
fn a_tail_beyond_the_head_makes_no_room() {
    let (memory, mut producer, _consumer) = ring();
    let frame = vec![1; 100];
    assert!(producer.push(1, &[&frame]));
    memory.tail.store(120, Release);
    for _ in 0..3 {
        assert!(!producer.push(2, &[&frame]), "the lie must not be kept as a position");
    }
    memory.tail.store(0, Release);
    assert!(!producer.has_room(100));
}
