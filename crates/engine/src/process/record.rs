//! How a worker ended, as the error of its tasks tells it.

use super::Breach;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitRecord {
    pub worker_id: usize,
    pub pid: i32,
    pub exit_code: Option<i32>,
    /// Number; names are the JavaScript side's.
    pub signal: Option<i32>,
    /// Why it ended, in one word; `verdict.rs`.
    pub verdict: &'static str,
    /// The last lines written to stderr.
    pub stderr: String,
    /// How long the worker lived, ms.
    pub age: u64,
    /// CPU time it used, ms.
    pub cpu_time: Option<u64>,
    /// The most memory it had at a time, bytes.
    pub max_memory: Option<u64>,
    /// Why farm killed it, if it did.
    pub killed_for: Option<&'static str>,
    /// Why it was asked to leave, if it was.
    pub retired_for: Option<&'static str>,
    /// How long it was stopped, stalled or deaf by then, ms.
    pub killed_after: Option<u64>,
    /// The limit that it went over.
    #[serde(flatten)]
    pub breach: Option<Breach>,
    pub started: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub collateral: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub quarantined: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl ExitRecord {
    /// For a task of which nobody can say which worker had it.
    pub fn of_poisoned() -> Self {
        ExitRecord {
            worker_id: 0,
            pid: 0,
            exit_code: None,
            signal: None,
            verdict: "poison",
            stderr: String::new(),
            age: 0,
            cpu_time: None,
            max_memory: None,
            killed_for: Some("poison"),
            retired_for: None,
            killed_after: None,
            breach: None,
            started: true,
            collateral: false,
            quarantined: false,
        }
    }
}
