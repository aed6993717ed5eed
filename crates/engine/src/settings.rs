//! What a farm is, complete and as plain data; defaults and checks are the JavaScript side's. Times are ns.

use farm_transport::layout::MAX_WORKERS;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub min: usize,
    pub max: usize,
    pub lanes: usize,
    pub idle: Option<u64>,
    pub start: u64,
    pub start_attempts: u32,
    /// Workers beyond those at work, ready to take the place of a lost one.
    pub spares: usize,
    #[serde(default)]
    pub recycle: RecycleSettings,
    pub grace: u64,
    /// How long a worker may be stopped, stalled or deaf.
    pub stopped: Option<u64>,
    pub stall: Option<u64>,
    pub deaf: Option<u64>,
    pub spin: u64,
    /// A task that has ended so many workers is not tried again.
    pub max_crashes: u32,
    pub views: bool,
    pub max_shared: u64,
    #[serde(default)]
    pub limits: LimitSettings,
    pub program: ProgramSettings,
    pub stdout: Output,
    pub stderr: Output,
    /// The guard program, when what workers start is to end with them and with this process.
    pub guard: Option<String>,
    /// The program is a script that speaks Node's IPC protocol.
    pub fork: Option<ForkSettings>,
}

/// What each worker may use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LimitSettings {
    /// Bytes of private memory.
    pub memory: Option<u64>,
    /// Of one CPU.
    pub cpu: Option<f64>,
    /// ns of CPU time in its life.
    pub cpu_time: Option<u64>,
    pub files: Option<u64>,
    pub processes: Option<u64>,
    pub nice: Option<i32>,
    pub affinity: Vec<usize>,
}

/// After what a worker is replaced.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecycleSettings {
    pub tasks: Option<u64>,
    /// ns
    pub age: Option<u64>,
    /// Bytes of private memory.
    pub memory: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ProgramSettings {
    pub path: String,
    pub args: Vec<String>,
    /// `KEY=value`.
    pub env: Vec<String>,
    pub cwd: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ForkSettings {
    /// The message that means ready, as JSON text; without it the script is ready when it runs.
    pub ready: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    Inherit,
    Pipe,
    Prefix,
    Ignore,
}

impl Settings {
    /// More indices than workers: a replacement starts before the old index is drained.
    pub fn indices(&self) -> usize {
        indices(self.max, self.spares)
    }
}

pub fn indices(max: usize, spares: usize) -> usize {
    ((max + spares) * 2 + 2).min(MAX_WORKERS)
}
