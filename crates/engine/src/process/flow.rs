//! How much of what a farm's workers wrote is on its way to the JavaScript thread. Beyond a bound, and while that side wants
//! no more, their pipes are not read: a worker that goes on writing waits, as it would for any slow reader.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

/// Bytes read and not taken, beyond which no more is read.
const MOST: usize = 1024 * 1024;
/// Reading goes on below this.
const FEW: usize = MOST / 2;

pub struct Flow {
    /// Tells the pump that there is room.
    go_on: fn(),
    untaken: AtomicUsize,
    paused: AtomicBool,
    /// Nobody takes anything any more.
    over: AtomicBool,
    /// A pipe was left alone; whoever makes room tells the pump.
    left: AtomicBool,
}

impl Flow {
    pub fn new(go_on: fn()) -> Self {
        Flow {
            go_on,
            untaken: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            over: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }
    }

    /// By the pump, before it passes bytes on.
    pub fn came(&self, bytes: usize) {
        self.untaken.fetch_add(bytes, SeqCst);
    }

    /// By the JavaScript thread.
    pub fn taken(&self, bytes: usize) {
        self.untaken.fetch_sub(bytes, SeqCst);
        self.tell();
    }

    /// By the JavaScript thread: whether it wants no more for now.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, SeqCst);
        self.tell();
    }

    /// The farm is gone; what still comes is read and dropped.
    pub fn end(&self) {
        self.over.store(true, SeqCst);
        self.tell();
    }

    /// By the pump: true when a pipe is to be left alone, until it is told to go on.
    pub fn leaves(&self) -> bool {
        !self.has_room(MOST) && !self.room_came()
    }

    /// By the pump, when it was told to go on: whether that is so for a pipe of this farm.
    pub fn goes_on(&self) -> bool {
        self.has_room(FEW) || self.room_came()
    }

    /// Either this sees the room that is made meanwhile and is true, or whoever makes it sees that a pipe was left.
    fn room_came(&self) -> bool {
        self.left.store(true, SeqCst);
        self.has_room(FEW)
    }

    fn has_room(&self, below: usize) -> bool {
        self.over.load(SeqCst) || (!self.paused.load(SeqCst) && self.untaken.load(SeqCst) < below)
    }

    fn tell(&self) {
        if self.left.load(SeqCst) && self.has_room(FEW) && self.left.swap(false, SeqCst) {
            (self.go_on)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_left_when_much_waits_and_read_again_when_little_does() {
        let flow = Flow::new(|| {});
        flow.came(MOST - 1);
        assert!(!flow.leaves());
        flow.came(1);
        assert!(flow.leaves());
        flow.taken(MOST - FEW);
        assert!(!flow.goes_on() && flow.left.load(SeqCst));
        flow.taken(1);
        assert!(!flow.left.load(SeqCst));
        assert!(flow.goes_on());
    }

    #[test]
    fn a_pause_holds_however_little_waits_and_an_end_ends_it() {
        let flow = Flow::new(|| {});
        flow.pause(true);
        assert!(flow.leaves());
        flow.pause(false);
        assert!(flow.goes_on());
        flow.pause(true);
        assert!(flow.leaves());
        flow.end();
        flow.came(10 * MOST);
        assert!(flow.goes_on());
    }
}
