//! Frames to the JavaScript side: how they begin, and what those about the life of a task consist of.

/// Bytes before a frame's body.
pub const HEAD: usize = 16;
const LIFE: usize = 24;
/// Bytes of a frame about the life of a task.
pub const LIFE_FRAME: usize = HEAD + LIFE;

/// What somebody listens for there.
#[derive(Default, Clone, Copy)]
pub struct Listeners {
    pub ends: bool,
    pub starts: bool,
}

/// An attempt of a task in a worker.
#[derive(Debug, Clone, Copy)]
pub struct Ran {
    pub worker: usize,
    pub since: u64,
    pub ran: u64,
}

/// A task so far, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// 0 while none has started it.
    pub worker_id: u32,
    pub attempt: u32,
    pub wait: f64,
    /// -1 while none has started it.
    pub run: f64,
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

impl Life {
    /// Of a task that came at `submitted`; `ran` is a worker's word, which may be anything.
    pub fn new(attempt: u32, submitted: u64, ran: Option<Ran>, now: u64) -> Life {
        match ran {
            Some(Ran { worker, since, ran }) => {
                let wait = ms(since.min(now).saturating_sub(submitted));
                Life { worker_id: worker as u32 + 1, attempt, wait, run: ms(ran.min(now)) }
            }
            None => Life { worker_id: 0, attempt, wait: ms(now.saturating_sub(submitted)), run: -1.0 },
        }
    }

    pub fn encode(&self) -> [u8; LIFE] {
        let mut body = [0; LIFE];
        body[..4].copy_from_slice(&self.worker_id.to_le_bytes());
        body[4..8].copy_from_slice(&self.attempt.to_le_bytes());
        body[8..16].copy_from_slice(&self.wait.to_le_bytes());
        body[16..].copy_from_slice(&self.run.to_le_bytes());
        body
    }
}

/// Writes a frame with a body that is short; returns where the next one starts.
pub fn write_frame(out: &mut [u8], at: usize, id: u32, kind: u32, body: &[u8]) -> usize {
    out[at + HEAD..at + HEAD + body.len()].copy_from_slice(body);
    write_head(out, at, id, kind, body.len(), 0)
}

/// Writes a frame's head; returns where the next frame starts.
pub fn write_head(out: &mut [u8], at: usize, id: u32, kind: u32, len: usize, last: u32) -> usize {
    for (index, value) in [id, kind, len as u32, last].into_iter().enumerate() {
        out[at + index * 4..at + index * 4 + 4].copy_from_slice(&value.to_le_bytes());
    }
    (at + HEAD + len).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_cannot_say_that_it_began_later_or_ran_longer_than_can_be() {
        let lie = Ran { worker: 1, since: u64::MAX, ran: u64::MAX };
        let life = Life::new(2, 1_000_000, Some(lie), 3_000_000);
        assert_eq!((life.worker_id, life.attempt, life.wait, life.run), (2, 2, 2.0, 3.0));
        let early = Life::new(1, 2_000_000, Some(Ran { since: 0, ..lie }), 3_000_000);
        assert_eq!(early.wait, 0.0);
        let none = Life::new(1, 1_000_000, None, 3_000_000);
        assert_eq!((none.worker_id, none.wait, none.run), (0, 2.0, -1.0));
    }

    #[test]
    fn a_frame_about_a_life_has_the_room_that_is_kept_for_it() {
        let mut out = [0; 2 * LIFE_FRAME];
        let life = Life::new(1, 0, None, 5_000_000);
        assert_eq!(write_frame(&mut out, 0, 7, 20, &life.encode()), LIFE_FRAME);
        assert_eq!((out[0], out[4], out[8]), (7, 20, LIFE as u8));
        assert_eq!(out[HEAD + 8..HEAD + 16], 5f64.to_le_bytes());
    }
}
