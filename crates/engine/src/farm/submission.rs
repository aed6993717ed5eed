//! One task in a batch from the JavaScript side: `u32 id | u32 codec and flags | u32 length | u32 attachments`, then with
//! the options flag `f64 timeout | f64 queue timeout` (ms, 0 for none), then the payload (attachment table of
//! `u64 offset | u64 length`, body), padded to 8. Written by `lib/tasks.js`.

use farm_transport::frame::{word, Attachment, NO_BLOCK};
use farm_transport::TaskHeader;

const HEAD: usize = 16;
const OPTIONS: usize = 16;
const HAS_OPTIONS: u32 = 1 << 8;
const COPIES: u32 = 1 << 9;

pub struct Submission<'a> {
    pub id: u32,
    codec: u8,
    copies: bool,
    attachments: u16,
    /// ns, 0 for none.
    pub timeout: u64,
    pub queue_timeout: u64,
    /// Attachment table, then body.
    pub payload: &'a [u8],
}

fn ns(ms: f64) -> u64 {
    // Saturates; a NaN is 0, no timeout.
    (ms * 1e6) as u64
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
        let start = HEAD + if options { OPTIONS } else { 0 };
        let payload = batch.get(start..start + len)?;
        let time = |at: usize| if options { ns(f64::from_bits(word(batch, at))) } else { 0 };
        let submission = Submission {
            id: first as u32,
            codec: flags as u8,
            copies: flags & COPIES != 0,
            attachments: (second >> 32) as u16,
            timeout: time(HEAD),
            queue_timeout: time(HEAD + 8),
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
            copies: self.copies,
            block: NO_BLOCK,
            claim_by: if self.queue_timeout > 0 { now.saturating_add(self.queue_timeout) } else { 0 },
            attempt: 1,
        }
    }

    pub fn attachments(&self) -> impl Iterator<Item = Attachment> + 'a {
        Attachment::table(self.payload, usize::from(self.attachments)).into_iter().flatten()
    }
}
