//! Offsets and sizes of the shared segments; all words are little-endian `u64`, all offsets in bytes. A worker that was
//! built from other sources of this crate is refused at its start, so all of it may change freely.

/// "farm queue", as the first word of a queue segment.
pub const MAGIC: u64 = 0x6575_6575_716d_7266;
/// What the sources of this crate come to; build.rs.
pub const VERSION: u64 = match u64::from_str_radix(env!("FARM_LINE"), 16) {
    Ok(number) => number,
    Err(_) => panic!("build.rs writes a number"),
};

/// Words that different sides write lie this far apart, so that they never share a cache line (or the pair of lines
/// that the prefetcher takes together).
pub const APART: usize = 128;

/// Positions in the ring of entries.
pub const ENTRIES: usize = 8192;
/// Tasks published and not settled at the same time.
pub const SLOTS: usize = 4096;
/// Workers of one farm.
pub const MAX_WORKERS: usize = 1024;
/// Tasks that one worker runs at the same time.
pub const LANES: usize = 64;

/// The queue segment: head words, entries, slots.
pub mod queue {
    use super::*;
    pub const MAGIC_AT: usize = 0;
    pub const VERSION_AT: usize = 8;
    pub const HEAD: usize = APART;
    pub const PARENT_ASLEEP: usize = 2 * APART;
    pub const SPINNER: usize = 3 * APART;
    pub const ONLINE: usize = 4 * APART;
    /// Not 0: workers tell of each task that they start. Beside another word that only the parent writes, and rarely.
    pub const WATCHED: usize = ONLINE + 8;
    pub const SLEEPERS: usize = 5 * APART;
    pub const ENTRY_TABLE: usize = 4096;
    pub const SLOT_TABLE: usize = ENTRY_TABLE + ENTRIES * 8;
    pub const SIZE: usize = SLOT_TABLE + SLOTS * super::slot::SIZE;
    const _: () = assert!(SLEEPERS + MAX_WORKERS / 64 * APART <= ENTRY_TABLE);
    const _: () = assert!(SLOT_TABLE.is_multiple_of(64));
}

/// One slot: state, header, and the payload if it is small.
pub mod slot {
    pub const SIZE: usize = 256;
    pub const STATE: usize = 0;
    pub const HEADER: usize = 8;
    pub const HEADER_SIZE: usize = 40;
    pub const INLINE: usize = HEADER + HEADER_SIZE;
    /// Bytes of a payload that need no block.
    pub const INLINE_SIZE: usize = SIZE - INLINE;
}

/// One worker's own segment, mapped by the parent and by that worker alone.
pub mod worker {
    use super::*;
    pub const PHASE: usize = 0;
    /// Set while a reply waits for room in the reply ring.
    pub const WANTS_ROOM: usize = 2 * APART;
    /// When the worker went to sleep with nothing to run (ns), 0 while it works.
    pub const IDLE_SINCE: usize = 3 * APART;
    /// Changes with every turn of the worker's event loop in which it looks for tasks.
    pub const BEAT: usize = 4 * APART;
    /// Not 0: this worker claims nothing. Only the parent writes it.
    pub const PAUSED: usize = 5 * APART;
    /// Per lane: `turn | slot`, and when the task was started (ns).
    pub const STAMPS: usize = 1024;
    pub const RINGS: usize = 2048;
    pub const fn ring_head(index: usize) -> usize {
        RINGS + index * 2 * APART
    }
    pub const fn ring_tail(index: usize) -> usize {
        ring_head(index) + APART
    }
    /// Per lane: turn of the last cancel that the worker has seen.
    pub const ACKS: usize = 3072;
    /// (offset, size) of each ring's data: replies, mail from the JavaScript thread, mail from the supervisor, blocks given back.
    pub const RING_DATA: [(usize, usize); 4] = [(64 * 1024, REPLY_RING), (4096, 4096), (8192, 8192), (16384, 32768)];
    pub const REPLIES: usize = 0;
    pub const MAIL_FROM_JS: usize = 1;
    pub const MAIL_FROM_SUPERVISOR: usize = 2;
    pub const GIVEN_BACK: usize = 3;
    pub const REPLY_RING: usize = 256 * 1024;
    /// Replies above this travel in a block of the worker's arena.
    pub const INLINE_REPLY: usize = 2048;
    /// Bytes of replies in blocks that the parent has not taken yet; beyond it a worker waits, as for room in the ring.
    pub const MOST_UNREAD: u64 = 64 << 20;
    pub const SIZE: usize = 64 * 1024 + REPLY_RING;
    const _: () = assert!(STAMPS + LANES * 16 <= RINGS);
    const _: () = assert!(ring_tail(3) + 8 <= ACKS && ACKS + LANES * 8 <= 4096);
}

/// What the phase word of a worker says.
pub mod phase {
    pub const STARTING: u64 = 0;
    pub const ONLINE: u64 = 1;
    /// The worker leaves as it was told to; an exit without it is a crash.
    pub const BYE: u64 = 2;
}

/// Address space of one arena; memory is taken as blocks are touched. Less where a limit (`ulimit -v`) refuses so much.
pub const ARENA: usize = 64 << 30;
pub const SMALLEST_ARENA: usize = 256 << 20;
