//! One task in a batch from the JavaScript side: `u32 id | u32 codec and flags | u32 length | u32 attachments`, then with
//! the options flag `f64 timeout | f64 queue timeout` (ms, 0 for none), with the plan flag `u32 retries | i16 priority |
//! u16 failures to retry on`, then the payload (attachment table of
//! `u64 offset | u64 length`, body), padded to 8. Written by `lib/batch.js`.

use crate::pool::tasks::Plan;
use farm_transport::frame::{word, Attachment, NO_BLOCK};
use farm_transport::TaskHeader;

const HEAD: usize = 16;
const OPTIONS: usize = 16;
const PLAN: usize = 8;
const HAS_OPTIONS: u32 = 1 << 8;
const COPIES: u32 = 1 << 9;
const HAS_PLAN: u32 = 1 << 10;

pub struct Submission<'a> {
    pub id: u32,
    codec: u8,
    copies: bool,
    attachments: u16,
    /// ns, 0 for none.
    pub timeout: u64,
    pub queue_timeout: u64,
    pub plan: Plan,
    /// Attachment table, then body.
    pub payload: &'a [u8],
}

fn ns(ms: f64) -> u64 {
    // Saturates; a NaN is 0, no timeout.
    (ms * 1e6) as u64
}

fn plan(word: u64) -> Plan {
    Plan { retries: word as u32, priority: (word >> 32) as i16, retry_on: (word >> 48) as u8 }
}

impl<'a> Submission<'a> {
    /// The first task of the batch and the rest; `None` at its end.
    pub fn parse(batch: &'a [u8]) -> Option<(Submission<'a>, &'a [u8])> {
        if batch.len() < HEAD {
            return None;
        }
        let (first, second) = (word(batch, 0), word(batch, 8));
        let flags = (first >> 32) as u32;
        let len = second as u32 as usize;
        let options = flags & HAS_OPTIONS != 0;
        let plan_at = HEAD + if options { OPTIONS } else { 0 };
        let planned = flags & HAS_PLAN != 0;
        let start = plan_at + if planned { PLAN } else { 0 };
        let payload = batch.get(start..start + len)?;
        let plan = if planned { plan(word(batch, plan_at)) } else { Plan::default() };
        let time = |at: usize| if options { ns(f64::from_bits(word(batch, at))) } else { 0 };
        let submission = Submission {
            id: first as u32,
            codec: flags as u8,
            copies: flags & COPIES != 0,
            attachments: (second >> 32) as u16,
            timeout: time(HEAD),
            queue_timeout: time(HEAD + 8),
            plan,
            payload,
        };
        let next = (start + len).next_multiple_of(8).min(batch.len());
        Some((submission, &batch[next..]))
    }

    pub fn header(&self, now: u64) -> TaskHeader {
        TaskHeader {
            len: self.payload.len() as u32,
            attachments: self.attachments,
            codec: self.codec,
            copies: self.copies || self.plan.retries > 0,
            block: NO_BLOCK,
            claim_by: if self.queue_timeout > 0 { now.saturating_add(self.queue_timeout) } else { 0 },
            attempt: 1,
        }
    }

    pub fn attachments(&self) -> impl Iterator<Item = Attachment> + 'a {
        Attachment::table(self.payload, usize::from(self.attachments)).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(id: u32, flags: u32, attachments: u32, options: &[f64], payload: &[u8]) -> Vec<u8> {
        let mut batch = Vec::new();
        for word in [id, flags, payload.len() as u32, attachments] {
            batch.extend_from_slice(&word.to_le_bytes());
        }
        for option in options {
            batch.extend_from_slice(&option.to_le_bytes());
        }
        batch.extend_from_slice(payload);
        batch.resize(batch.len().next_multiple_of(8), 0);
        batch
    }

    #[test]
    fn times_are_ns_and_saturate() {
        let of = |timeout: f64| {
            let batch = batch(1, HAS_OPTIONS, 0, &[timeout, 2.5], &[]);
            let (submission, rest) = Submission::parse(&batch).unwrap();
            assert_eq!((submission.queue_timeout, rest.len()), (2_500_000, 0));
            submission.timeout
        };
        assert_eq!([of(1.0), of(-1.0), of(f64::NAN), of(f64::INFINITY)], [1_000_000, 0, 0, u64::MAX]);
    }

    #[test]
    fn a_plan_comes_out_as_it_went_in() {
        let word = 7 | u64::from(-3i16 as u16) << 32 | 5 << 48;
        let batch = batch(1, HAS_PLAN, 0, &[f64::from_bits(word)], &[9, 9]);
        let (submission, _) = Submission::parse(&batch).unwrap();
        assert_eq!(submission.plan, Plan { retries: 7, priority: -3, retry_on: 5 });
        assert_eq!(submission.payload, [9, 9]);
        assert!(submission.header(0).copies, "a retry gets the arguments that the first attempt got");
    }

    proptest! {
        #[test]
        fn tasks_come_out_as_they_went_in(
            tasks in proptest::collection::vec((any::<u32>(), any::<u8>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..100)), 0..10)
        ) {
            let mut bytes = Vec::new();
            for (id, codec, options, payload) in &tasks {
                let flags = u32::from(*codec) | if *options { HAS_OPTIONS } else { COPIES };
                let times: &[f64] = if *options { &[3.0, 4.0] } else { &[] };
                bytes.extend(batch(*id, flags, 0, times, payload));
            }
            let mut rest = bytes.as_slice();
            for (id, codec, options, payload) in &tasks {
                let (submission, next) = Submission::parse(rest).unwrap();
                rest = next;
                prop_assert_eq!((submission.id, submission.payload), (*id, payload.as_slice()));
                let header = submission.header(10);
                prop_assert_eq!((header.codec, header.copies, header.len as usize), (*codec, !options, payload.len()));
                let (timeout, by) = if *options { (3_000_000, 4_000_010) } else { (0, 0) };
                prop_assert_eq!((submission.timeout, header.claim_by), (timeout, by));
            }
            prop_assert!(Submission::parse(rest).is_none());
        }

        /// Whatever the bytes: parsing ends, and what it gives lies inside of them.
        #[test]
        fn garbage_is_cut_short(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            lens in proptest::collection::vec((0usize..400, 0u32..64), 0..8)
        ) {
            let mut bytes = bytes;
            // Small lengths here and there, so that parsing gets further than the first task.
            for (at, len) in lens {
                if let Some(place) = bytes.get_mut(at / 8 * 8..at / 8 * 8 + 4) {
                    place.copy_from_slice(&len.to_le_bytes());
                }
            }
            let mut rest = bytes.as_slice();
            while let Some((submission, next)) = Submission::parse(rest) {
                prop_assert!(next.len() + HEAD + submission.payload.len() <= rest.len());
                let table = submission.attachments().count() * Attachment::SIZE;
                prop_assert!(table <= submission.payload.len());
                rest = next;
            }
        }
    }
}
