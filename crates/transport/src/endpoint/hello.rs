//! The first words on the line: which worker this is, the settings it needs, and the descriptors of all it maps.

use crate::layout::{self, LANES, MAX_WORKERS};
use crate::segment::Segment;
use crate::task_slot::QueueSegment;
use crate::worker_segment::WorkerSegment;
use farm_sys::{Doorbell, Fd, Line, FDS_PER_MESSAGE};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Descriptors before the workers' doorbells: queue, requests, own segment, own arena, boot data, parent's doorbell.
pub const FIXED_FDS: usize = 6;
const MOST_BYTES: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub layout: u64,
    /// Index of this worker, below `workers`.
    pub worker: u16,
    /// Most workers that the farm can have at the same time.
    pub workers: usize,
    /// Tasks this worker may run at the same time.
    pub lanes: usize,
    /// The parent wants to hear of this worker's end as early as it can be told.
    pub pulse: bool,
    /// After so many tasks the worker says that it is worn; 0 for never.
    pub tasks: u64,
    pub spin_ns: u64,
    /// CPUs that the farm may use.
    pub cpus: usize,
    pub boot_len: usize,
    pub arena_len: usize,
    pub requests_len: usize,
    /// Most bytes of shared memory for replies in flight.
    pub max_shared: u64,
}

/// Why a worker cannot join.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the line to the parent: {0}")]
    Line(#[from] farm_sys::Error),
    #[error("the parent closed the line before it said hello")]
    Closed,
    #[error("the parent's hello cannot be read: {0}")]
    Hello(#[from] serde_json::Error),
    #[error(
        "its addon is of another build (line {:016x}) than the parent's (line {theirs:016x}): farm was replaced while the \
         parent ran; restart the parent",
        layout::VERSION
    )]
    Build { theirs: u64 },
    #[error("the parent's hello is out of range")]
    Range,
    #[error("it may not have the {of} descriptors open that go with a farm of this size (RLIMIT_NOFILE)")]
    Descriptors { of: usize },
}

/// All that can be read of a hello from another build.
#[derive(Deserialize)]
struct Speaker {
    layout: u64,
}

/// What an endpoint works on.
pub struct Parts {
    pub queue: QueueSegment,
    pub requests: Arc<Segment>,
    pub own: WorkerSegment,
    pub arena: Arc<Segment>,
    pub parent_bell: Doorbell,
    /// One per worker of the farm.
    pub bells: Vec<Arc<Doorbell>>,
}

impl Hello {
    /// The parent's side; goes on behind the descriptors that were sent before. False: the line takes no more now.
    pub fn send(&self, line: &Line, fds: &[&Fd], sent: &mut usize) -> Result<bool, Refused> {
        let raw = serde_json::to_vec(self)?;
        while *sent < fds.len() {
            match line.send_some(&raw, &fds[*sent..])? {
                Some(more) => *sent += more,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn receive(line: &Line) -> Result<(Hello, Vec<Fd>), Refused> {
        let mut raw = [0; MOST_BYTES];
        let mut fds = Vec::new();
        loop {
            let Some((len, more)) = line.receive(&mut raw)? else { continue };
            if len == 0 {
                return Err(Refused::Closed);
            }
            let (before, came) = (fds.len(), more.len());
            fds.extend(more);
            let Speaker { layout: theirs } = serde_json::from_slice(&raw[..len])?;
            if theirs != layout::VERSION {
                return Err(Refused::Build { theirs });
            }
            let hello: Hello = serde_json::from_slice(&raw[..len])?;
            if hello.workers > MAX_WORKERS || usize::from(hello.worker) >= hello.workers || hello.lanes > LANES {
                return Err(Refused::Range);
            }
            let all = FIXED_FDS + hello.workers;
            if fds.len() >= all {
                return Ok((hello, fds));
            }
            // The system leaves out those for which it finds no number.
            if came < FDS_PER_MESSAGE.min(all.saturating_sub(before)) {
                return Err(Refused::Descriptors { of: all });
            }
        }
    }

    /// Maps it all; also gives the boot data.
    pub(super) fn open(&self, fds: Vec<Fd>) -> Result<(Parts, Vec<u8>), Refused> {
        let mut fds = fds.into_iter();
        let mut next = || fds.next().ok_or(Refused::Range);
        let queue = Segment::open(next()?, layout::queue::SIZE)?;
        let queue = QueueSegment::open(queue, self.workers).ok_or(Refused::Range)?;
        let requests = Arc::new(Segment::open(next()?, self.requests_len)?);
        let own = WorkerSegment::over(Segment::open(next()?, layout::worker::SIZE)?);
        let arena = Arc::new(Segment::open(next()?, self.arena_len)?);
        let mut boot = vec![0; self.boot_len];
        let boot_fd = next()?;
        if self.boot_len > 0 {
            Segment::open(boot_fd, self.boot_len)?.copy_out(0, &mut boot).map_err(|_| Refused::Range)?;
        }
        let parent_bell = Doorbell::from_fd(next()?);
        let bells = fds.map(|fd| Arc::new(Doorbell::from_fd(fd))).collect();
        Ok((Parts { queue, requests, own, arena, parent_bell, bells }, boot))
    }
}
