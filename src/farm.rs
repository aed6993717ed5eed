//! unsafe room: class NativeFarm, the farm as its JavaScript thread holds it. (The one block shows shared memory as a view.)

use crate::doorbell::Doorbell;
use crate::external::{self, Raw, Scratch};
use crate::news;
use farm_engine::farm::{End, Farm, Handover};
use farm_engine::{system, FarmEvent, Settings, WorkerLine};
use napi::bindgen_prelude::*;
use napi_derive::napi;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Flags beside the length that `drain` returns.
const HAS_HANDOVERS: u32 = 1 << 29;
const HAS_NEWS: u32 = 1 << 28;
/// Turns of the callback for one ring before the event loop gets its turn.
const ROUNDS: usize = 16;
/// After so long (ns) it gets it earlier: workers may send as fast as this thread takes.
const LONGEST_TURN: u64 = 10_000_000;

struct Inner {
    farm: Farm,
    bell: Option<Doorbell>,
    batch: Option<Scratch>,
    out: Option<Scratch>,
    handovers: Vec<Handover>,
    news: Vec<FarmEvent>,
    /// Reasons beyond open tasks to keep the event loop alive.
    holds: u32,
}

impl Inner {
    fn hold(&self) {
        if let Some(bell) = &self.bell {
            bell.hold(self.holds > 0 || self.farm.open_tasks() > 0);
        }
    }
}

#[napi]
pub struct NativeFarm {
    inner: Rc<RefCell<Option<Inner>>>,
}

fn closed() -> Error {
    Error::from_reason("the farm's environment has ended")
}

#[napi]
impl NativeFarm {
    /// `settings`: JSON of the engine's `Settings`. `boot`: given to each worker at its start.
    #[napi(constructor, catch_unwind)]
    pub fn new(settings: String, boot: Buffer) -> Result<Self> {
        let settings: Settings =
            serde_json::from_str(&settings).map_err(|error| Error::from_reason(format!("settings: {error}")))?;
        system::library::pin().map_err(|error| Error::from_reason(error.to_string()))?;
        let farm = Farm::open(settings, Arc::from(&boot[..])).map_err(|error| Error::from_reason(error.to_string()))?;
        let inner =
            Inner { farm, bell: None, batch: None, out: None, handovers: Vec::new(), news: Vec::new(), holds: 0 };
        Ok(NativeFarm { inner: Rc::new(RefCell::new(Some(inner))) })
    }

    /// Connects the farm to this environment: `batch` is what `submit` reads, `out` what `drain` writes, `on_ring` is called
    /// when there is something to drain. False where the loop cannot be polled.
    #[napi(catch_unwind)]
    pub fn connect(&self, env: Env, batch: Buffer, out: Buffer, on_ring: Function<'_, (), ()>) -> Result<bool> {
        let shared = self.with(|inner| inner.farm.shared().clone())?;
        let fd = shared.parent_bell.fd().raw();
        let ringing = shared.clone();
        let farm = self.inner.clone();
        let ended = self.inner.clone();
        let bell = Doorbell::new(
            &env,
            fd,
            &on_ring,
            move |bell| {
                ringing.parent_bell.clear();
                let start = system::monotonic_ns();
                for _ in 0..ROUNDS {
                    if !bell.call() {
                        return;
                    }
                    let more = farm.borrow_mut().as_mut().is_some_and(|inner| inner.farm.rest());
                    if let Some(inner) = farm.borrow().as_ref() {
                        inner.hold();
                    }
                    if !more {
                        return;
                    }
                    if system::monotonic_ns() - start > LONGEST_TURN {
                        break;
                    }
                }
                ringing.parent_bell.ring();
            },
            move || {
                // The environment ends: the farm goes, and with it its workers. Views still held keep their memory.
                let _shared = shared;
                ended.borrow_mut().take();
            },
        );
        let Some(bell) = bell else { return Ok(false) };
        self.with(|inner| {
            inner.bell = Some(bell);
            inner.batch = Some(Scratch::new(batch));
            inner.out = Some(Scratch::new(out));
            inner.farm.rest();
        })?;
        Ok(true)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> Result<T> {
        self.inner.borrow_mut().as_mut().map(act).ok_or_else(closed)
    }

    /// Takes the first `len` bytes of the batch buffer: tasks as `engine::farm::Submission` describes them.
    #[napi(catch_unwind)]
    pub fn submit(&self, len: u32) -> Result<()> {
        self.with(|inner| {
            if let Some(batch) = &inner.batch {
                let len = (len as usize).min(batch.len());
                inner.farm.submit(&batch.bytes()[..len]);
            }
            inner.hold();
        })
    }

    /// Tasks from a buffer of their own, for those too large for the batch buffer.
    #[napi(catch_unwind)]
    pub fn submit_large(&self, tasks: Buffer) -> Result<()> {
        self.with(|inner| {
            inner.farm.submit(&tasks);
            inner.hold();
        })
    }

    /// Copies bytes into shared memory; the offset, or -1 when there is no room for them.
    #[napi(catch_unwind)]
    pub fn attach(&self, bytes: Uint8Array) -> Result<f64> {
        self.with(|inner| inner.farm.attach(&bytes).map_or(-1.0, |at| at as f64))
    }

    /// Gives back what `attach` gave.
    #[napi(catch_unwind)]
    pub fn detach(&self, at: f64) -> Result<()> {
        self.with(|inner| inner.farm.detach(at as u64))
    }

    /// Fills the out buffer with frames; their length and flags.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Result<u32> {
        self.with(|inner| {
            let Some(out) = &inner.out else { return 0 };
            let drained = inner.farm.drain(out.bytes());
            let mut code = drained.len as u32;
            if !drained.handovers.is_empty() {
                code |= HAS_HANDOVERS;
                inner.handovers.extend(drained.handovers);
            }
            if !drained.news.is_empty() {
                code |= HAS_NEWS;
                inner.news.extend(drained.news);
            }
            code
        })
    }

    /// The ArrayBuffers that belong to the frames just drained, in order.
    #[napi(catch_unwind)]
    pub fn take_handovers(&self, env: Env) -> Result<Raw> {
        let handovers = self.with(|inner| std::mem::take(&mut inner.handovers))?;
        let values =
            handovers.into_iter().map(|handover| self.hand_over(&env, handover)).collect::<Result<Vec<_>>>()?;
        external::array(&env, &values).map(Raw)
    }

    fn hand_over(&self, env: &Env, handover: Handover) -> Result<napi::sys::napi_value> {
        let (line, key) = match handover {
            Handover::Copied(bytes) => return external::copy(env, &bytes),
            Handover::View { line, key } => (line, key),
        };
        let start = line
            .arena
            .range(key.at, key.len as usize)
            .map_err(|_| Error::from_reason("a view outside of its arena"))?;
        let farm = Rc::downgrade(&self.inner);
        let kept: Arc<WorkerLine> = line.clone();
        let release = Box::new(move || {
            if let Some(farm) = farm.upgrade() {
                // A finalizer may run while the farm is borrowed: never, since it runs in a turn of its own.
                if let Ok(mut farm) = farm.try_borrow_mut() {
                    if let Some(inner) = farm.as_mut() {
                        inner.farm.view_done(&kept, key);
                    }
                }
            }
        });
        // SAFETY: the closure keeps the mapping; the worker has given the block up until `view_done` returns it.
        match unsafe { external::view(env, start.as_ptr(), key.len as usize, release) } {
            Ok(value) => Ok(value),
            Err(release) => {
                let mut bytes = vec![0; key.len as usize];
                line.arena
                    .copy_out(key.at, &mut bytes)
                    .map_err(|_| Error::from_reason("a view outside of its arena"))?;
                release();
                external::copy(env, &bytes)
            }
        }
    }

    /// News about workers: JSON of a list, and the bytes that belong to each (or null).
    #[napi(catch_unwind)]
    pub fn take_news(&self) -> Result<(String, Vec<Option<Buffer>>)> {
        let news = self.with(|inner| {
            let news = std::mem::take(&mut inner.news);
            inner.farm.shared().output.taken(news::written(&news));
            news
        })?;
        let (list, bytes): (Vec<_>, Vec<_>) = news.into_iter().map(news::describe).unzip();
        let json = serde_json::to_string(&list).map_err(|error| Error::from_reason(error.to_string()))?;
        Ok((json, bytes.into_iter().map(|bytes| bytes.map(Buffer::from)).collect()))
    }

    /// The caller gave this task up and has settled it, for a reason as `End::given_up` has it; `reason` is its own, as the
    /// worker decodes it. False when its last frame is on the way already.
    #[napi(catch_unwind)]
    pub fn cancel(&self, task: u32, why: u32, reason: Option<Uint8Array>) -> Result<bool> {
        self.with(|inner| inner.farm.cancel(task, End::given_up(why), reason.as_deref().unwrap_or_default()))
    }

    /// While it is paused, what workers write is not read, but for what is on its way.
    #[napi(catch_unwind)]
    pub fn pause_output(&self, paused: bool) -> Result<()> {
        self.with(|inner| inner.farm.shared().output.pause(paused))
    }

    /// What the JavaScript side wants to be told of the life of tasks from now on.
    #[napi(catch_unwind)]
    pub fn watch_tasks(&self, ends: bool, starts: bool) -> Result<()> {
        self.with(|inner| inner.farm.watch_tasks(ends, starts))
    }

    /// `[workerId or 0, attempt, wait, run or -1]` of an open task.
    #[napi(catch_unwind)]
    pub fn life_of(&self, task: u32) -> Result<Vec<f64>> {
        self.with(|inner| inner.farm.life_of(task).to_vec())
    }

    /// Takes a task back that no worker has started; false when one has.
    #[napi(catch_unwind)]
    pub fn withdraw(&self, task: u32) -> Result<bool> {
        self.with(|inner| inner.farm.withdraw(task))
    }

    /// Publishes tasks whose wait before their next try is over; ms until the next one's is, or -1.
    #[napi(catch_unwind)]
    pub fn tick(&self) -> Result<f64> {
        self.with(|inner| inner.farm.tick().map_or(-1.0, |ns| ns as f64 / 1e6))
    }

    /// From now on no task is tried again; those that wait for it are settled.
    #[napi(catch_unwind)]
    pub fn end_retries(&self) -> Result<()> {
        self.with(|inner| inner.farm.end_retries())
    }

    /// Asks for up to so many workers without a task.
    #[napi(catch_unwind)]
    pub fn demand(&self, workers: u32) -> Result<()> {
        self.with(|inner| inner.farm.demand(workers as usize))
    }

    /// One more (or less) reason to keep the event loop alive.
    #[napi(catch_unwind)]
    pub fn hold(&self, on: bool) -> Result<()> {
        self.with(|inner| {
            inner.holds = if on { inner.holds + 1 } else { inner.holds.saturating_sub(1) };
            inner.hold();
        })
    }

    /// Workers finish and leave; those that have not after `timeout` ms are killed (negative: never).
    #[napi(catch_unwind)]
    pub fn close(&self, timeout: f64) -> Result<()> {
        self.with(|inner| inner.farm.close(timeout))
    }

    /// Another number of workers.
    #[napi(catch_unwind)]
    pub fn resize(&self, min: u32, max: u32) -> Result<()> {
        self.with(|inner| inner.farm.resize(min as usize, max as usize))
    }

    /// Replaces all workers, one by one; the news `reloaded` follows.
    #[napi(catch_unwind)]
    pub fn reload(&self) -> Result<()> {
        self.with(|inner| inner.farm.reload())
    }

    /// Kills all workers now and settles every open task.
    #[napi(catch_unwind)]
    pub fn destroy(&self) -> Result<()> {
        self.with(|inner| inner.farm.destroy())
    }

    /// The farm is closed and drained: lets go of the event loop and of everything else. No call may follow.
    #[napi(catch_unwind)]
    pub fn dispose(&self) -> Result<()> {
        let Some(inner) = self.inner.borrow_mut().take() else { return Ok(()) };
        if let Some(bell) = &inner.bell {
            bell.close();
        }
        inner.batch.into_iter().chain(inner.out).for_each(Scratch::release);
        Ok(())
    }

    /// Figures as JSON; `reset`: those of times start anew.
    #[napi(catch_unwind)]
    pub fn stats(&self, reset: bool) -> Result<String> {
        self.with(|inner| inner.farm.figures(reset).to_string())
    }
}
