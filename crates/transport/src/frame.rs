//! What travels beside the payload: tags of the rings and mailboxes, and the fixed head of a reply. Pure data.

/// Tags of the reply ring (worker → parent).
pub mod reply {
    pub const RESULT: u32 = 1;
    pub const ERROR: u32 = 2;
    pub const PROGRESS: u32 = 3;
    /// The worker has let go of a revoked task.
    pub const RELEASED: u32 = 4;
    /// A block of the request arena that the worker's code held a view of: `offset | length`.
    pub const VIEW_FREED: u32 = 5;
    /// The task had waited longer than its queueTimeout when it was claimed; it was not started.
    pub const EXPIRED: u32 = 6;
    /// The task has ended, but there was no memory for what it answered.
    pub const NO_MEMORY: u32 = 7;
    /// The task has just been started: `turn | slot`, then when (ns). Only while the parent asks for it.
    pub const STARTED: u32 = 8;
    /// As `ERROR`, but not of the task's code: another try would come to the same.
    pub const FINAL_ERROR: u32 = 9;
}

/// Tags of the mailboxes (parent → worker).
pub mod mail {
    /// `turn | slot`: the task's fate is settled, tell the code inside. From the JavaScript thread the caller gave it up, and
    /// the bytes behind are its reason, if any; from the supervisor, unless that one was first, it ran too long.
    pub const CANCEL: u32 = 1;
    /// Stop claiming, finish, leave.
    pub const RETIRE: u32 = 2;
}

/// First bytes of what a worker says on the line, outside of any task.
pub mod tell {
    /// The module is loaded.
    pub const ONLINE: u8 = b'o';
    /// The module could not be loaded: the error, encoded.
    pub const FAILED: u8 = b'f';
    /// An uncaught error ends the worker: the error, encoded.
    pub const ERROR: u8 = b'e';
    /// It has ended as many tasks as one worker may.
    pub const WORN: u8 = b'w';
    /// With a descriptor that is closed when the process begins to end.
    pub const PULSE: u8 = b'p';
    /// The worker cannot join: why, as text that every build can read.
    pub const REFUSED: u8 = b'h';
}

/// What the parent says on the line to a worker that runs; heard also while its code computes.
pub mod hint {
    /// Nothing large has come back to this worker for a while.
    pub const QUIET: &[u8] = b"q";
}

/// "No block": the payload is inline.
pub const NO_BLOCK: u64 = u64::MAX;

/// The head of a reply in the ring; the inline payload, if any, follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHead {
    /// `turn | slot` of the task, as in its entry.
    pub task: u64,
    /// Bytes of the payload: attachment table, then body.
    pub len: u32,
    pub attachments: u16,
    pub codec: u8,
    /// Offset in the worker's arena, or [`NO_BLOCK`].
    pub block: u64,
    /// How long the task ran, ns.
    pub ran: u64,
    /// When it was claimed, ns.
    pub since: u64,
}

impl ReplyHead {
    pub const SIZE: usize = 40;

    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        out[..8].copy_from_slice(&self.task.to_le_bytes());
        out[8..12].copy_from_slice(&self.len.to_le_bytes());
        out[12..14].copy_from_slice(&self.attachments.to_le_bytes());
        out[14] = self.codec;
        out[16..24].copy_from_slice(&self.block.to_le_bytes());
        out[24..32].copy_from_slice(&self.ran.to_le_bytes());
        out[32..].copy_from_slice(&self.since.to_le_bytes());
        out
    }

    pub fn decode(bytes: &[u8; Self::SIZE]) -> Self {
        ReplyHead {
            task: word(bytes, 0),
            len: word(bytes, 8) as u32,
            attachments: word(bytes, 8).wrapping_shr(32) as u16,
            codec: bytes[14],
            block: word(bytes, 16),
            ran: word(bytes, 24),
            since: word(bytes, 32),
        }
    }
}

/// The little-endian word at an offset.
pub fn word(bytes: &[u8], at: usize) -> u64 {
    let mut raw = [0; 8];
    raw.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(raw)
}

/// One attachment in a payload's table: `offset | length` in the sender's arena, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    pub at: u64,
    pub len: u64,
}

impl Attachment {
    pub const SIZE: usize = 16;

    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        out[..8].copy_from_slice(&self.at.to_le_bytes());
        out[8..].copy_from_slice(&self.len.to_le_bytes());
        out
    }

    /// The table of `count` attachments at the start of a payload; `None` when the payload is too short for it.
    pub fn table(payload: &[u8], count: usize) -> Option<impl Iterator<Item = Attachment> + '_> {
        let table = payload.get(..count * Self::SIZE)?;
        Some(table.chunks_exact(Self::SIZE).map(|row| Attachment { at: word(row, 0), len: word(row, 8) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_reply_head_survives(task: u64, len: u32, attachments: u16, codec: u8, block: u64, ran: u64, since: u64) {
            let head = ReplyHead { task, len, attachments, codec, block, ran, since };
            prop_assert_eq!(ReplyHead::decode(&head.encode()), head);
        }

        #[test]
        fn a_table_never_reads_past_its_payload(payload: Vec<u8>, count in 0usize..100) {
            match Attachment::table(&payload, count) {
                Some(rows) => prop_assert_eq!(rows.count(), count),
                None => prop_assert!(payload.len() < count * Attachment::SIZE),
            }
        }
    }
}
