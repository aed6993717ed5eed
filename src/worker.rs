//! unsafe room: the worker's end of a line, for `lib/worker/loop.js`. (The one block shows shared memory as a view.) One
//! per process: what a worker is, it was told by its parent when it started.

use crate::direct;
use crate::doorbell::Doorbell;
use crate::external::{self, Raw, Scratch};
use farm_engine::system;
use farm_transport::endpoint::{Endpoint, Next, Outcome, Running, Sent};
use farm_transport::frame::{reply, tell, Attachment};
use farm_transport::Segment;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What `next` returns below the lanes.
const ASLEEP: i32 = -1;
const BUSY: i32 = -2;
const RETIRE: i32 = -3;
const CANCEL: i32 = -4;
/// The loop has had its time; the event loop's turn.
const YIELD: i32 = -5;
/// The reply could not be sent yet; keep it and ring later.
const FULL: i32 = -6;
const NO_MEMORY: i32 = -7;

/// Time for tasks in one turn of the event loop, ns.
const TURN: u64 = 1_000_000;

/// Attachments shown as views at a time; further ones are copied.
const VIEW_BUDGET: u64 = 64 << 20;
/// Turns of a worker's thread on its CPU, ns; the system's own are about 3 ms. The parent's then come at once.
const SCHEDULER_TURN: u64 = 20_000_000;
/// Those of a spare: it is woken to preempt the thread on which the one that it replaces is taken apart. Threads and
/// processes that are started take over the turns of whoever starts them, so it has these only while it waits.
const SPARE_TURN: u64 = 300_000;
/// Bytes of freed memory that a worker keeps: a task that makes large Buffers would else take each anew from the system,
/// page by page (docs/design/decisions.md, 9).
const KEPT_MEMORY: i32 = 16 << 20;

/// Words of `head` before those of the answer.
const ANSWER: usize = 6;

struct Worker {
    endpoint: Endpoint,
    bell: Doorbell,
    /// Payloads come here, replies go out from there; details of a claimed task are in the first words of `head`, those of
    /// its answer (lane, tag, codec, length) in the words behind.
    input: Scratch,
    output: Scratch,
    head: Scratch,
    large: Option<Vec<u8>>,
    /// Ends with its line; until then the kernel alone ends it with its parent.
    tied: bool,
    /// Is tied, and has turned its loop when it was no spare, or no longer one: it may have been put to work while it
    /// loaded its module.
    settled: bool,
    turn_began: u64,
    last_start: u64,
    /// Bytes of attachments that the module's code may still look at.
    view_bytes: u64,
}

thread_local! {
    static OPENED: RefCell<Option<Endpoint>> = const { RefCell::new(None) };
    static WORKER: RefCell<Option<Rc<RefCell<Worker>>>> = const { RefCell::new(None) };
}

fn with<T>(act: impl FnOnce(&mut Worker) -> T) -> Result<T> {
    let worker = WORKER.with(|worker| worker.borrow().clone()).ok_or_else(|| Error::from_reason("not a worker"))?;
    let mut worker = worker.try_borrow_mut().map_err(|_| Error::from_reason("the worker is in use"))?;
    Ok(act(&mut worker))
}

/// Binds this process to its parent and joins the farm; the boot data. The process ends when the parent is gone already.
#[napi(catch_unwind)]
pub fn worker_open(line: i32, parent: i32) -> Result<Buffer> {
    let failed = |error: &dyn std::fmt::Display| Error::from_reason(error.to_string());
    if !system::die_with_parent(parent).map_err(|error| failed(&error))? {
        std::process::exit(0);
    }
    system::ignore_interrupts();
    system::library::keep_freed_memory(KEPT_MEMORY);
    let line = system::inherit_line(line).map_err(|error| failed(&error))?;
    let (endpoint, boot) = Endpoint::open(line).map_err(|error| failed(&error))?;
    if !endpoint.is_paused() {
        system::take_turns(SCHEDULER_TURN);
    }
    OPENED.with(|opened| *opened.borrow_mut() = Some(endpoint));
    Ok(boot.into())
}

/// Index of this worker, and how many tasks it may run at the same time.
#[napi(catch_unwind)]
pub fn worker_place() -> Result<(u32, u32)> {
    OPENED.with(|opened| {
        let opened = opened.borrow();
        let hello = opened.as_ref().map(Endpoint::hello).ok_or_else(|| Error::from_reason("not a worker"))?;
        Ok((u32::from(hello.worker), hello.lanes as u32))
    })
}

/// A message to the supervisor outside of any task.
#[napi(catch_unwind)]
pub fn worker_tell(message: Buffer) -> Result<()> {
    let tell = |endpoint: &Endpoint| endpoint.tell(&message).map_err(|error| Error::from_reason(error.to_string()));
    let early = OPENED.with(|opened| opened.borrow().as_ref().map(tell));
    match early {
        Some(told) => told,
        None => with(|worker| tell(&worker.endpoint))?,
    }
}

/// Starts taking tasks; `on_ring` runs the loop. The words of `head`: six for a claimed task, four for its answer. What is
/// returned is a function: it ends a task with that answer, its bytes those of `output`, then does as `worker_next`.
#[napi(catch_unwind)]
pub fn worker_start(
    env: Env,
    input: Buffer,
    output: Buffer,
    head: Buffer,
    on_ring: Function<'_, (), ()>,
) -> Result<Raw> {
    let endpoint =
        OPENED.with(|opened| opened.borrow_mut().take()).ok_or_else(|| Error::from_reason("not a worker"))?;
    system::library::pin().map_err(|error| Error::from_reason(error.to_string()))?;
    let fd = endpoint.bell().fd().raw();
    let bell = Doorbell::new(
        &env,
        fd,
        &on_ring,
        |bell| {
            let _ = with(|worker| {
                worker.endpoint.bell().clear();
                worker.endpoint.wake();
            });
            bell.call();
        },
        || {
            // The descriptor must outlive the handle: the worker is leaked on purpose, the process ends with it.
        },
    )
    .ok_or_else(|| Error::from_reason("this runtime's event loop cannot be polled"))?;
    bell.hold(true);
    endpoint.online();
    let _ = endpoint.tell(&[tell::ONLINE]);
    // Behind the word that somebody waits for.
    endpoint.give_pulse();
    let tied = endpoint.tie().is_ok();
    if endpoint.is_paused() {
        system::take_turns(SPARE_TURN);
    }
    let worker = Worker {
        endpoint,
        bell,
        input: Scratch::new(input),
        output: Scratch::new(output),
        head: Scratch::new(head),
        large: None,
        tied,
        settled: false,
        turn_began: 0,
        last_start: 0,
        view_bytes: 0,
    };
    let worker = Rc::new(RefCell::new(worker));
    // Leaked: see above.
    std::mem::forget(worker.clone());
    WORKER.with(|slot| *slot.borrow_mut() = Some(worker.clone()));
    direct::function(&env, move || worker.borrow_mut().finish_and_next()).map(Raw)
}

impl Worker {
    fn settle(&mut self) {
        // Where there was no thread to be had for that there may be one now.
        self.tied = self.tied || self.endpoint.tie().is_ok();
        if !self.endpoint.is_paused() {
            self.settled = self.tied;
            system::take_turns(SCHEDULER_TURN);
        }
    }

    fn next(&mut self) -> i32 {
        if self.last_start > self.turn_began + TURN {
            self.endpoint.pass_on();
            return YIELD;
        }
        match self.endpoint.step() {
            Next::Asleep => ASLEEP,
            Next::Busy => BUSY,
            Next::Retire => RETIRE,
            Next::Cancel { lane, timed_out, reason } => {
                self.write_head([lane as u32, u32::from(timed_out), reason.len() as u32, 0, 0, 0]);
                self.large = Some(reason);
                CANCEL
            }
            Next::Task { lane, task } => {
                self.last_start = task.since;
                self.read(lane, &task)
            }
        }
    }

    fn finish_and_next(&mut self) -> i32 {
        let word = |index: usize| self.head.bytes().get(index * 4..index * 4 + 4).map_or(0, read_word);
        let [lane, tag, codec, len] = [ANSWER, ANSWER + 1, ANSWER + 2, ANSWER + 3].map(word);
        let len = (len as usize).min(self.output.len());
        let Worker { endpoint, output, .. } = self;
        let outcome = Outcome { codec: codec as u8, body: &output.bytes()[..len], attachments: &[], staged: None };
        match send(endpoint, lane, tag, outcome) {
            0 => self.next(),
            code => code,
        }
    }

    fn write_head(&self, words: [u32; ANSWER]) {
        for (word, place) in words.iter().zip(self.head.bytes().chunks_exact_mut(4)) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }

    fn read(&mut self, lane: usize, task: &Running) -> i32 {
        let header = &task.header;
        let len = header.len as usize;
        let fits = len <= self.input.len();
        let read = if fits {
            self.endpoint.read_payload(task, &mut self.input.bytes()[..len])
        } else {
            let mut bytes = vec![0; len];
            let read = self.endpoint.read_payload(task, &mut bytes);
            self.large = Some(bytes);
            read
        };
        if read.is_err() {
            // Somebody wrote over the slot; the parent finds out and starts anew.
            std::process::exit(70);
        }
        let flags = u32::from(header.copies) | if fits { 0 } else { 2 };
        self.write_head([
            lane as u32,
            header.len,
            u32::from(header.codec),
            u32::from(header.attachments),
            flags,
            header.attempt,
        ]);
        lane as i32
    }
}

fn read_word(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

fn send(endpoint: &mut Endpoint, lane: u32, tag: u32, outcome: Outcome) -> i32 {
    let lane = lane as usize;
    let sent =
        if tag == reply::PROGRESS { endpoint.progress(lane, outcome) } else { endpoint.finish(lane, tag, outcome) };
    match sent {
        Sent::Yes | Sent::Revoked => 0,
        Sent::Full => FULL,
        Sent::NoMemory => NO_MEMORY,
    }
}

/// A new turn of the event loop: the time for tasks counts from now. Then as `worker_next`.
#[napi(catch_unwind)]
pub fn worker_turn() -> Result<i32> {
    with(|worker| {
        if !worker.settled {
            worker.settle();
        }
        worker.turn_began = system::monotonic_ns();
        worker.last_start = worker.turn_began;
        worker.endpoint.wake();
        worker.next()
    })
}

/// What to do next: a lane (its task is in the head and input buffers) or one of the negative codes.
#[napi(catch_unwind)]
pub fn worker_next() -> Result<i32> {
    with(Worker::next)
}

/// Sends a reply or progress from buffers of its own; 0 or a negative code.
#[napi(catch_unwind)]
pub fn worker_send(lane: u32, tag: u32, codec: u32, body: Uint8Array, attachments: Vec<Uint8Array>) -> Result<i32> {
    with(|worker| {
        let parts: Vec<&[u8]> = attachments.iter().map(|part| &part[..]).collect();
        send(
            &mut worker.endpoint,
            lane,
            tag,
            Outcome { codec: codec as u8, body: &body, attachments: &parts, staged: None },
        )
    })
}

/// The payload of the task just claimed, when it does not fit the input buffer; the reason of a cancel.
#[napi(catch_unwind)]
pub fn worker_large() -> Result<Buffer> {
    with(|worker| worker.large.take().unwrap_or_default().into())
}

/// The attachments in the table at the start of `payload`, as ArrayBuffers.
#[napi(catch_unwind)]
pub fn worker_attachments(env: Env, payload: Uint8Array, count: u32, copies: bool) -> Result<Raw> {
    let rows: Vec<Attachment> =
        Attachment::table(&payload, count as usize).ok_or_else(|| Error::from_reason("a torn table"))?.collect();
    let requests = with(|worker| worker.endpoint.requests().clone())?;
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        values.push(attachment(&env, &requests, row, copies)?);
    }
    external::array(&env, &values).map(Raw)
}

fn attachment(env: &Env, requests: &Arc<Segment>, row: Attachment, copies: bool) -> Result<napi::sys::napi_value> {
    let len = row.len as usize;
    let start = requests.range(row.at, len).map_err(|_| Error::from_reason("an attachment outside of its arena"))?;
    let kept = requests.clone();
    let release = Box::new(move || {
        drop(kept);
        let _ = with(|worker| {
            worker.view_bytes = worker.view_bytes.saturating_sub(row.len);
            worker.endpoint.attachment_done(row.at, row.len);
        });
    });
    let fits = with(|worker| {
        worker.view_bytes += row.len;
        worker.view_bytes <= VIEW_BUDGET
    })?;
    let shown = if copies || !fits {
        Err(release as Box<dyn FnOnce()>)
    } else {
        // SAFETY: the closure keeps the mapping, and the parent does not reuse the block before it is told.
        unsafe { external::view(env, start.as_ptr(), len, release) }
    };
    shown.or_else(|release| {
        let value = external::filled(env, len, |into| requests.copy_out(row.at, into).is_ok());
        release();
        value
    })
}

/// 0, or that the task of this lane was cancelled (1) or timed out (2).
#[napi(catch_unwind)]
pub fn worker_is_revoked(lane: u32) -> Result<u32> {
    with(|worker| match worker.endpoint.is_revoked(lane as usize) {
        false => 0,
        true => 1 + u32::from(worker.endpoint.looks_timed_out()),
    })
}

/// The loop has seen the cancel of this lane.
#[napi(catch_unwind)]
pub fn worker_acknowledge(lane: u32) -> Result<()> {
    with(|worker| worker.endpoint.acknowledge(lane as usize))
}

/// Tasks claimed and not ended.
#[napi(catch_unwind)]
pub fn worker_running() -> Result<u32> {
    with(|worker| worker.endpoint.running() as u32)
}

/// This worker leaves as it was told to; the loop no longer keeps the process alive.
#[napi(catch_unwind)]
pub fn worker_bye() -> Result<()> {
    with(|worker| {
        worker.endpoint.bye();
        worker.bell.hold(false);
    })
}
