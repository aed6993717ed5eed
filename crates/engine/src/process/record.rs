//! How a worker ended, as the error of its tasks tells it.

use farm_sys::ExitStatus;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitRecord {
    pub worker_id: usize,
    pub pid: i32,
    pub exit_code: Option<i32>,
    /// Number; names are the JavaScript side's.
    pub signal: Option<i32>,
    /// The last lines written to stderr.
    pub stderr: String,
    /// How long the worker lived, ms.
    pub age: u64,
    /// Why farm killed it, if it did.
    pub killed_for: Option<&'static str>,
    pub started: bool,
}

impl ExitRecord {
    pub fn new(
        worker_id: usize,
        pid: i32,
        status: ExitStatus,
        stderr: String,
        age: u64,
        killed_for: Option<&'static str>,
    ) -> Self {
        ExitRecord {
            worker_id,
            pid,
            exit_code: status.code,
            signal: status.signal,
            stderr,
            age,
            killed_for,
            started: true,
        }
    }
}
