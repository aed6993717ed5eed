//! The blocks of a worker's arena, and those on their way back from the parent. Whoever answers tasks takes from it; another
//! thread gives back to the system what has not been wanted for a while, also while a task computes. That thread has the
//! lock for a look at the lists only, never while memory is given back.

use crate::arena::{Arena, Budget, Cooling};
use crate::frame::word;
use crate::ring::Consumer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Blocks {
    given_back: Consumer,
    pub arena: Arena,
    budget: Budget,
}

impl Blocks {
    pub fn take_back(&mut self) {
        while let Ok(Some((_, len))) = self.given_back.peek() {
            let mut raw = [0; 16];
            if len == raw.len() {
                self.given_back.read(0, &mut raw);
                self.arena.give(word(&raw, 0), word(&raw, 8));
            }
            self.given_back.advance(len);
        }
    }

    pub fn fits(&self, bytes: u64) -> bool {
        self.budget.fits(&self.arena, bytes)
    }

    pub fn admits(&mut self, bytes: u64) -> bool {
        self.budget.admits(&mut self.arena, bytes)
    }

    pub fn give(&mut self, taken: &[(u64, u64)]) {
        taken.iter().for_each(|(at, len)| self.arena.give(*at, *len));
    }
}

#[derive(Clone)]
pub struct Stock(Arc<Mutex<Blocks>>);

impl Stock {
    pub(super) fn new(given_back: Consumer, arena: Arena, max_shared: u64) -> Self {
        Stock(Arc::new(Mutex::new(Blocks { given_back, arena, budget: Budget::new(max_shared) })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The free blocks whose memory was kept, if there are any, for somebody who gives it back to the system.
    pub fn lend(&self) -> Option<Cooling> {
        let mut blocks = self.lock();
        blocks.take_back();
        blocks.arena.lend()
    }

    /// The blocks that [`lend`](Self::lend) gave, their memory given back.
    pub fn cooled(&self, cooling: Cooling) {
        self.lock().arena.cooled(cooling);
    }

    /// Gives the memory of free blocks back.
    pub fn cool(&self) {
        let Some(mut cooling) = self.lend() else { return };
        while cooling.step() {}
        self.cooled(cooling);
    }
}
