//! What a child has used, as far as it can be known after its end, and whether the kernel kills for memory.

use farm_sys::{oom_kills, usage};
use std::sync::atomic::{AtomicU64, Ordering::*};

/// The most memory of a child that anybody has seen while it lived; at its end only the system may know it.
#[derive(Debug, Default)]
pub struct MostMemory(u64);

impl MostMemory {
    /// Before a kill: the last chance to look.
    pub fn look(&mut self, pid: i32) {
        self.saw(usage::max_resident(pid).unwrap_or(0));
    }

    pub fn saw(&mut self, bytes: u64) {
        self.0 = self.0.max(bytes);
    }

    /// `at_end`: what the system said then.
    pub fn total(&self, at_end: Option<u64>) -> Option<u64> {
        at_end.or(Some(self.0)).filter(|bytes| *bytes > 0)
    }
}

/// The kernel's kills for memory up to here are explained by ends of our children.
static EXPLAINED: AtomicU64 = AtomicU64::new(0);

/// The kernel's kills for memory, counted when a child is started.
#[derive(Debug)]
pub struct OomKills(u64);

impl OomKills {
    pub fn so_far() -> Self {
        // Where they cannot be read, none ever counts as one more.
        OomKills(oom_kills().unwrap_or(u64::MAX))
    }

    /// True when there is one more: a child that was killed by nobody we know is its victim. Each explains one child.
    pub fn take_one_more(&self) -> bool {
        let known = self.0.max(EXPLAINED.load(Relaxed));
        let more = oom_kills().is_some_and(|kills| kills > known);
        if more {
            EXPLAINED.store(known + 1, Relaxed);
        }
        more
    }
}
