//! The byte ring. Its bytes are cells that report any access not ordered by the positions.

use crate::line::{check, ring};
use loom::thread;

#[test]
fn frames_arrive_whole_and_in_order_round_the_end() {
    check("ring", 3, || {
        // The third frame's bytes lie on both sides of the end.
        let (mut producer, mut consumer) = ring(32);
        let writer = thread::spawn(move || {
            for tag in 1..=3u32 {
                let byte = tag as u8;
                while !producer.push(tag, &[&[byte; 5], &[byte + 100; 7]]) {
                    thread::yield_now();
                }
            }
        });
        for tag in 1..=3u32 {
            let len = loop {
                if let Some((seen, len)) = consumer.peek().unwrap() {
                    assert_eq!(seen, tag);
                    break len;
                }
                thread::yield_now();
            };
            let mut bytes = vec![0; len];
            consumer.read(0, &mut bytes);
            consumer.advance(len);
            let byte = tag as u8;
            assert_eq!(bytes, [[byte; 5].as_slice(), &[byte + 100; 7]].concat());
        }
        assert!(consumer.is_empty());
        writer.join().unwrap();
    });
}
