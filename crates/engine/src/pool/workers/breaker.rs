//! When the next start may be tried. Starts that fail and workers that die before they have done anything are tried again
//! after longer and longer waits; when several starts in a row have failed and nobody is left to work, the breaker is open:
//! callers are turned away until the wait is over, then one start is tried.

/// After a failed start the next one waits this long, twice as long after each further failure, up to the longest wait.
pub const BACK_OFF: u64 = 100_000_000;
const LONGEST_BACK_OFF: u64 = 5_000_000_000;
/// The longest wait of an open breaker.
const LONGEST_OPEN: u64 = 30_000_000_000;
/// A worker that ends within this time, of itself and without having had a task, is as good as not started.
pub const SHORT_LIFE: u64 = 1_000_000_000;
/// Early deaths farther apart than this are no row.
const APART: u64 = 2 * LONGEST_BACK_OFF;

pub struct Breaker {
    /// Failed rounds after which it opens.
    attempts: u32,
    /// Rounds of starts that failed since a worker came online.
    failures: u32,
    failed_at: Option<u64>,
    next_start: u64,
    open: bool,
    early_deaths: u32,
    early_at: u64,
    next_after_death: u64,
}

fn wait(times: u32, longest: u64) -> u64 {
    BACK_OFF.saturating_mul(1 << times.min(20)).min(longest)
}

impl Breaker {
    pub fn new(attempts: u32) -> Self {
        Breaker {
            attempts: attempts.max(1),
            failures: 0,
            failed_at: None,
            next_start: 0,
            open: false,
            early_deaths: 0,
            early_at: 0,
            next_after_death: 0,
        }
    }

    /// `started`: when this start began; several that fail together are one failure. `alone`: nobody else is there.
    pub fn start_failed(&mut self, started: u64, now: u64, alone: bool) {
        if self.failed_at.is_none_or(|failed| started >= failed) {
            let longest = if self.failures + 1 >= self.attempts { LONGEST_OPEN } else { LONGEST_BACK_OFF };
            self.next_start = now.saturating_add(wait(self.failures, longest));
            self.failures += 1;
            self.failed_at = Some(now);
        }
        self.open |= alone && self.failures >= self.attempts;
    }

    /// A worker ended of itself, soon and without having had a task.
    pub fn died_early(&mut self, now: u64) {
        if now.saturating_sub(self.early_at) > APART {
            self.early_deaths = 0;
        }
        self.next_after_death = now.saturating_add(wait(self.early_deaths, LONGEST_BACK_OFF));
        self.early_deaths += 1;
        self.early_at = now;
    }

    /// A start has succeeded.
    pub fn online(&mut self) {
        self.failures = 0;
        self.failed_at = None;
        self.next_start = 0;
        self.open = false;
    }

    /// Somebody asks and nobody can serve: this is tried at once, whatever failed before, unless the breaker is open.
    pub fn asked(&mut self, now: u64) {
        if !self.open {
            self.next_start = self.next_start.min(now);
            self.next_after_death = self.next_after_death.min(now);
        }
    }

    /// What failed before is put right, says the user.
    pub fn forgive(&mut self) {
        self.online();
        self.next_after_death = 0;
    }

    /// Whether starts have failed since one has succeeded.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Nothing is started before this time; 0 when nothing has to wait.
    pub fn not_before(&self) -> u64 {
        self.next_start.max(self.next_after_death)
    }
}
