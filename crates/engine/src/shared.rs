//! Where the JavaScript thread and the supervisor meet: segments, doorbells, a private table of atomics, one inbox each
//! way. No lock.

use crate::process::{ExitRecord, Flow, Pump};
use crate::settings::Settings;
use crossbeam::channel::Sender;
use farm_sys::{usable_cpus, Doorbell};
use farm_transport::{
    layout::{MAX_WORKERS, SLOTS},
    Cooling, Entry, Kind, QueueSegment, Segment, WorkerSegment,
};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicU8, Ordering::*};
use std::sync::{Arc, OnceLock};

/// One generation of what all workers of a farm map.
pub struct FarmLine {
    pub queue: QueueSegment,
    pub requests: Arc<Segment>,
}

/// What one worker and its parent share.
pub struct WorkerLine {
    pub own: WorkerSegment,
    pub arena: Arc<Segment>,
    pub returns: Returns,
}

impl WorkerLine {
    pub fn new(own: WorkerSegment, arena: Segment) -> Arc<Self> {
        Arc::new(WorkerLine { own, arena: Arc::new(arena), returns: Returns::default() })
    }
}

/// Blocks on their way back to one arena. Only the JavaScript thread writes it.
#[derive(Default)]
pub struct Returns {
    /// So far, ever.
    count: AtomicU64,
    /// Some wait for room in the ring that takes them there.
    pub waiting: AtomicBool,
}

impl Returns {
    pub fn count(&self, blocks: usize) {
        self.count.store(self.count.load(Relaxed) + blocks as u64, Relaxed);
    }

    pub fn so_far(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

/// The parent's own record of a published slot, which no worker can write.
#[derive(Default)]
pub struct Truth {
    /// Turn of the publication, 0 while there is none.
    pub turn: AtomicU64,
    /// Its timeout in ns, 0 for none.
    pub timeout: AtomicU64,
}

pub struct Shared {
    pub id: u32,
    pub settings: Settings,
    /// That this process may use, when the farm was made.
    pub cpus: usize,
    /// One per index there is or may be; made when there is such an index.
    bells: Box<[OnceLock<Arc<Doorbell>>]>,
    pub parent_bell: Doorbell,
    pub truth: Box<[Truth]>,
    /// To the JavaScript thread.
    pub events: Sender<FarmEvent>,
    /// Of what workers write, as far as it goes to the JavaScript thread.
    pub output: Arc<Flow>,
    /// Tasks not settled.
    pub open: AtomicU64,
    /// Tasks settled so far: a sign of life.
    pub settled: AtomicU64,
    /// The turn after the last published one.
    pub tail: AtomicU64,
    /// Published tasks with a timeout.
    pub timed: AtomicU64,
    /// The smallest timeout in use, ns.
    pub least_timeout: AtomicU64,
    /// When the supervisor will look at claims next, ns.
    pub next_look: AtomicU64,
    /// True while the supervisor looks around at short intervals.
    pub watched: AtomicBool,
    /// To the request arena.
    pub returns: Returns,
    /// Blocks came back to some arena since the supervisor last looked whether they are left alone.
    pub kept: AtomicBool,
    /// Messages of fork scripts that answered no task.
    pub surplus: AtomicU64,
    /// Per worker, what it was last seen to be at: a `pool::wedge::Activity`.
    pub activities: Box<[AtomicU8]>,
    /// Wake-ups that only the supervisor's look around brought; 0 in a healthy run.
    pub rescued: AtomicU64,
}

impl Shared {
    pub fn new(id: u32, settings: Settings, events: Sender<FarmEvent>) -> farm_sys::Result<Self> {
        let indices = settings.indices();
        let shared = Shared {
            id,
            settings,
            cpus: usable_cpus(),
            parent_bell: Doorbell::new()?,
            truth: (0..SLOTS).map(|_| Truth::default()).collect(),
            events,
            output: Pump::flow(),
            open: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            least_timeout: AtomicU64::new(u64::MAX),
            next_look: AtomicU64::new(u64::MAX),
            watched: AtomicBool::new(false),
            returns: Returns::default(),
            kept: AtomicBool::new(false),
            surplus: AtomicU64::new(0),
            activities: (0..MAX_WORKERS).map(|_| AtomicU8::new(0)).collect(),
            rescued: AtomicU64::new(0),
            bells: (0..MAX_WORKERS).map(|_| OnceLock::new()).collect(),
        };
        for bell in &shared.bells[..indices] {
            let _ = bell.set(Arc::new(Doorbell::new()?));
        }
        Ok(shared)
    }

    /// Makes bells up to `indices`; how many there are then.
    pub fn make_bells(&self, indices: usize) -> usize {
        for bell in self.bells.iter().take(indices) {
            if bell.get().is_none() {
                let Ok(new) = Doorbell::new() else { break };
                let _ = bell.set(Arc::new(new));
            }
        }
        self.bells.iter().take_while(|bell| bell.get().is_some()).count()
    }

    pub fn bells(&self) -> Vec<Arc<Doorbell>> {
        self.bells.iter().map_while(|bell| bell.get().cloned()).collect()
    }

    /// The bell of a worker that has been started.
    pub fn bell(&self, worker: usize) -> &Doorbell {
        self.bells[worker].get().map_or(&self.parent_bell, |bell| bell)
    }

    /// True when there is such an index.
    pub fn has_worker(&self, worker: u16) -> bool {
        self.bells.get(worker as usize).is_some_and(|bell| bell.get().is_some())
    }

    pub fn ring(&self, worker: u16) {
        if let Some(bell) = self.bells.get(worker as usize).and_then(OnceLock::get) {
            bell.ring();
        }
    }

    /// Tells the JavaScript thread, which is always rung: such events are rare.
    pub fn post(&self, event: FarmEvent) {
        // The receiver is gone when the environment ended; then nobody is left to be told.
        let _ = self.events.send(event);
        self.parent_bell.ring();
    }

    /// Turns of revoked tasks that this worker has not let go.
    pub fn revoked_of(&self, line: &FarmLine, worker: usize) -> Vec<u64> {
        let revoked = |(slot, truth): (usize, &Truth)| {
            let state = line.queue.queue.state(slot as u32);
            let current = state.turn() == truth.turn.load(Acquire) && usize::from(state.owner()) == worker;
            (current && state.kind() == Kind::Revoked).then(|| state.turn())
        };
        self.truth.iter().enumerate().filter_map(revoked).collect()
    }

    /// Publications that this worker, which is gone, has not ended.
    pub fn held_by(&self, line: &FarmLine, owner: u16, worker: &WorkerLine) -> Vec<Held> {
        let stamps: Vec<u64> =
            (0..self.settings.lanes).filter_map(|lane| worker.own.read_stamp(lane)).map(|stamp| stamp.task).collect();
        let mut held = Vec::new();
        for (slot, truth) in self.truth.iter().enumerate() {
            let turn = truth.turn.load(Acquire);
            let state = line.queue.queue.state(slot as u32);
            if turn == 0 || state.turn() != turn || state.owner() != owner {
                continue;
            }
            let slot = slot as u32;
            match state.kind() {
                Kind::Claimed => held.push(Held { slot, turn, started: stamps.contains(&Entry::new(turn, slot).0) }),
                Kind::Done | Kind::Revoked | Kind::Released => held.push(Held { slot, turn, started: true }),
                _ => {}
            }
        }
        held
    }
}

/// A publication that a dead worker held.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub slot: u32,
    pub turn: u64,
    pub started: bool,
}

/// From the supervisor to the JavaScript thread.
pub enum FarmEvent {
    /// A worker is about to start: from now on its ring is to be drained.
    Joined {
        worker: usize,
        line: Arc<WorkerLine>,
    },
    Spawned {
        worker: usize,
        pid: i32,
    },
    Online {
        worker: usize,
    },
    /// The worker cannot work. `error`: what its bootstrap sent, codec first; else the record says it all.
    StartFailed {
        worker: usize,
        reason: &'static str,
        message: String,
        error: Option<Vec<u8>>,
        record: Option<ExitRecord>,
        /// No other worker is there or on its way: the tasks cannot be served.
        alone: bool,
        /// The breaker is open: for so long (ns) nothing is started.
        turned_away: Option<u64>,
    },
    /// An error in the worker outside of any task.
    WorkerError {
        worker: usize,
        error: Vec<u8>,
    },
    Exited {
        worker: usize,
        record: ExitRecord,
        held: Vec<Held>,
        planned: bool,
    },
    TimedOut {
        slot: u32,
        turn: u64,
    },
    /// A worker was told to leave since it was idle: whoever needs one asks again.
    Fewer,
    /// Bytes that the worker wrote to stdout (1) or stderr (2).
    Output {
        worker: usize,
        stream: u8,
        bytes: Vec<u8>,
    },
    /// The guard cannot do its work: what workers have started would outlive this process.
    Unguarded {
        message: String,
    },
    /// All workers from before the first `count` reloads are replaced; not `done`: a new one could not be started.
    Reloaded {
        done: bool,
        count: u32,
    },
    /// All workers are gone after somebody wrote over the shared queue.
    Poisoned,
    /// An arena has had nothing back for a while.
    Quiet,
    /// The memory of these blocks of the request arena went back to the system.
    Cooled(Cooling),
    Closed,
    /// The supervisor has had a fault and has given this farm up; its workers are being killed. Nothing follows.
    Failed {
        message: String,
    },
}
