//! The smallest timeout in use, by which the supervisor knows how long it may sleep.

/// The smallest one, and how many published tasks have it.
pub struct Timeouts {
    least: u64,
    count: usize,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { least: u64::MAX, count: 0 }
    }
}

impl Timeouts {
    pub fn began(&mut self, timeout: u64) {
        if timeout < self.least {
            *self = Timeouts { least: timeout, count: 0 };
        }
        self.count += usize::from(timeout == self.least);
    }

    pub fn ended(&mut self, timeout: u64) {
        self.count -= usize::from(timeout == self.least && self.count > 0);
    }

    /// The last task that had the smallest one is over.
    pub fn are_stale(&self) -> bool {
        self.count == 0 && self.least < u64::MAX
    }

    /// The smallest of all that are in use (0: none).
    pub fn seek(&mut self, all: impl Iterator<Item = u64>) -> u64 {
        *self = Timeouts::default();
        all.filter(|timeout| *timeout > 0).for_each(|timeout| self.began(timeout));
        self.least
    }
}
