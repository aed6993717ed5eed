//! Figures of a farm's life: how its tasks ended, how long they waited and ran. Fed by the batch that drains replies, read
//! when somebody asks.

use super::settled::{self, RETRIED};
use farm_transport::frame::{reply, ReplyHead};
use hdrhistogram::Histogram;
use serde_json::{json, Value};

/// How a task came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Completed,
    Failed,
    Cancelled,
    TimedOut,
    QueueTimedOut,
    Lost,
    NotStarted,
    NoMemory,
    Closed,
}

/// In the order of [`End`].
const NAMES: [&str; 9] =
    ["completed", "failed", "cancelled", "timedOut", "queueTimedOut", "lost", "notStarted", "noMemory", "closed"];

impl End {
    /// Of a task that its caller's side has settled: 0 by its signal, 1 since no worker can start, 2 with the farm.
    pub fn given_up(why: u32) -> End {
        match why {
            0 => End::Cancelled,
            1 => End::NotStarted,
            _ => End::Closed,
        }
    }

    /// Of a settlement that no worker sent.
    fn of_verdict(kind: u32) -> End {
        match kind {
            settled::NOT_RETRIED => End::Failed,
            settled::LOST => End::Lost,
            settled::TIMED_OUT => End::TimedOut,
            settled::NO_MEMORY => End::NoMemory,
            _ => End::Closed,
        }
    }

    fn of_reply(tag: u32) -> End {
        match tag {
            reply::RESULT => End::Completed,
            reply::EXPIRED => End::QueueTimedOut,
            reply::NO_MEMORY => End::NoMemory,
            _ => End::Failed,
        }
    }
}

#[derive(Default)]
pub struct Stats {
    ends: [u64; NAMES.len()],
    /// Attempts that have failed and were not the last.
    retried: u64,
    run: Times,
    wait: Times,
}

impl Stats {
    pub fn ended(&mut self, end: End) {
        self.ends[end as usize] += 1;
    }

    /// A task ended, or an attempt failed, without a worker's answer.
    pub fn verdict(&mut self, kind: u32) {
        match kind & RETRIED {
            0 => self.ended(End::of_verdict(kind)),
            _ => self.retried += 1,
        }
    }

    /// What `verdict` has counted is never told: its caller hears that the farm is closed.
    pub fn closed_instead(&mut self, kind: u32) {
        if matches!(kind, settled::LOST | settled::TIMED_OUT | settled::NO_MEMORY | settled::NOT_RETRIED) {
            self.ends[End::of_verdict(kind) as usize] -= 1;
            self.ended(End::Closed);
        }
    }

    /// A worker has answered; `submitted`: when its task came (ns).
    pub fn replied(&mut self, kind: u32, head: &ReplyHead, submitted: u64) {
        match kind & RETRIED {
            0 => self.ended(End::of_reply(kind)),
            _ => self.retried += 1,
        }
        if kind != reply::EXPIRED {
            self.run.record(head.ran);
            self.wait.record(head.since.saturating_sub(submitted));
        }
    }

    /// Tasks by their end, and both histograms.
    pub fn read(&self) -> Value {
        let ends: serde_json::Map<_, _> =
            NAMES.iter().zip(self.ends).map(|(name, count)| ((*name).to_string(), count.into())).collect();
        json!({ "ends": ends, "retried": self.retried, "run": self.run.read(), "wait": self.wait.read() })
    }

    /// The histograms start anew.
    pub fn reset(&mut self) {
        self.run = Times::default();
        self.wait = Times::default();
    }
}

/// Steps of the histogram, ns: a microsecond, as a power of two.
const STEP: u64 = 1024;
/// Whatever a worker claims, a histogram has no more room than for a day.
const LONGEST: u64 = 86_400_000_000_000;
/// Significant figures.
const FIGURES: u8 = 3;

/// A histogram of durations in ns; takes memory from its first value on, as much as the longest one needs.
#[derive(Default)]
struct Times(Option<Histogram<u64>>);

impl Times {
    #[inline]
    fn record(&mut self, ns: u64) {
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(STEP, 2 * STEP, FIGURES).ok();
            self.0.iter_mut().for_each(|histogram| histogram.auto(true));
        }
        if let Some(histogram) = &mut self.0 {
            // Only a value without room would fail.
            let _ = histogram.record(ns.min(LONGEST));
        }
    }

    fn read(&self) -> Value {
        let Some(times) = self.0.as_ref().filter(|times| !times.is_empty()) else { return Value::Null };
        json!({
            "count": times.len(),
            "mean": times.mean(),
            "min": times.min(),
            "max": times.max(),
            "p50": times.value_at_quantile(0.5),
            "p90": times.value_at_quantile(0.9),
            "p99": times.value_at_quantile(0.99),
            "p999": times.value_at_quantile(0.999),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farm_transport::frame::NO_BLOCK;

    fn head(since: u64, ran: u64) -> ReplyHead {
        ReplyHead { task: 1, len: 0, attachments: 0, codec: 0, block: NO_BLOCK, ran, since }
    }

    #[test]
    fn every_end_is_counted_under_its_name() {
        let mut stats = Stats::default();
        let ends = [End::Completed, End::Failed, End::Cancelled, End::TimedOut, End::QueueTimedOut, End::Lost];
        for (times, end) in ends.into_iter().chain([End::NotStarted, End::NoMemory, End::Closed]).enumerate() {
            (0..times).for_each(|_| stats.ended(end));
        }
        let read = stats.read();
        let counts: Vec<_> = NAMES.iter().map(|name| read["ends"][name].as_u64().unwrap()).collect();
        assert_eq!(counts, (0..9).collect::<Vec<_>>());
        assert!(read["run"].is_null() && read["wait"].is_null());
    }

    #[test]
    fn what_ran_is_in_both_histograms_and_what_expired_in_none() {
        let mut stats = Stats::default();
        for n in 1..=1000 {
            stats.replied(reply::RESULT, &head(1_000_000 * n, 2_000_000 * n), 0);
        }
        stats.replied(reply::EXPIRED, &head(7, 7), 0);
        let read = stats.read();
        let near = |of: &str, what: &str, wanted: f64| {
            let value = read[of][what].as_f64().unwrap();
            assert!((value / wanted - 1.0).abs() < 0.002, "{of} {what}: {value} instead of {wanted}");
        };
        assert_eq!((read["run"]["count"].as_u64(), read["ends"]["queueTimedOut"].as_u64()), (Some(1000), Some(1)));
        near("wait", "p50", 500e6);
        near("wait", "max", 1000e6);
        near("run", "min", 2e6);
        near("run", "p99", 1980e6);
        near("run", "mean", 1001e6);
        stats.reset();
        assert!(stats.read()["run"].is_null());
        assert_eq!(stats.read()["ends"]["completed"], 1000);
    }

    #[test]
    fn an_attempt_is_no_end_and_times_that_cannot_be_take_no_memory() {
        let mut stats = Stats::default();
        stats.replied(reply::ERROR | RETRIED | 3 << 16, &head(0, u64::MAX), u64::MAX);
        stats.verdict(settled::LOST | RETRIED);
        let read = stats.read();
        assert_eq!((read["retried"].as_u64(), read["ends"]["failed"].as_u64()), (Some(2), Some(0)));
        assert_eq!(read["wait"]["max"], 0);
        assert!(read["run"]["max"].as_u64().unwrap() < 2 * LONGEST);
    }
}
