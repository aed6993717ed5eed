//! A worker that does not map the queue: an unmodified `fork()` script. The supervisor takes tasks for it, one at a time,
//! passes each on through Node's IPC channel and answers with the next message that comes back. Nothing here blocks: what
//! the channel does not take waits for the poller, and one turn moves a bounded number of bytes.

use farm_sys::Fd;
use farm_transport::endpoint::{Endpoint, Next, Outcome, Running, Sent, Stock};
use farm_transport::frame::reply;
use farm_transport::node_ipc::{is_internal, is_message, is_same, Lines};

const CHUNK: usize = 64 * 1024;
/// Chunks in one turn, each way; other workers' deadlines wait for no more.
const CHUNKS: usize = 16;
/// A longer answer is copied into shared memory in parts, one in a turn, each of this many bytes.
const PART: usize = 1 << 20;
/// After the child's end there is only what the system has buffered, unless a process it started goes on writing.
const LAST_CHUNKS: usize = 1024;
/// The codec number of JSON; `lib/codec.js`.
const JSON: u8 = 3;
/// Longer lines are not looked into here: they are neither Node's own nor garbage, and checking them takes long. One that
/// is no JSON fails at the parent's decoder.
const LOOKED_INTO: usize = 1 << 20;

/// What a turn has come to, for the supervisor.
#[derive(Debug, Default)]
pub struct Turn {
    /// The script is ready, or is taken to be.
    pub online: bool,
    /// It has shown that it works: said that it is ready, or answered for the first time.
    pub proven: bool,
    /// It was asked to leave, and has finished: the channel says no more to it.
    pub let_go: bool,
    /// Nothing more comes out of the channel.
    pub ended: bool,
    /// It wrote what `process.send` never writes.
    pub broken: bool,
    /// Messages that answered no task.
    pub surplus: u64,
    /// More can be done at once: there is to be another turn, after everybody else's.
    pub again: bool,
    /// Whether the poller should tell when the channel takes more; `None`: as before.
    pub writable: Option<bool>,
}

/// A message on its way to the script: the payload of a task, then a newline.
struct Sending {
    task: Running,
    at: usize,
}

/// An answer on its way to the parent's JavaScript thread.
struct Answer {
    tag: u32,
    line: Vec<u8>,
    /// Of a long one: where it goes, and how much is there.
    staged: Option<u64>,
    copied: usize,
}

pub struct Forked {
    endpoint: Endpoint,
    ready: Option<String>,
    lines: Lines,
    chunk: Box<[u8]>,
    online: bool,
    /// The lane of the task that the script has, and what of its message has not gone out.
    lane: Option<usize>,
    sending: Option<Sending>,
    /// An answer that waits for room or is being copied.
    held: Option<Answer>,
    asleep: bool,
    retiring: bool,
    left: bool,
    /// No task goes to this script any more.
    over: bool,
    /// The poller watches for room in the channel.
    watching: bool,
    proven: bool,
    /// The child has ended, and an answer of it waits.
    pub lingers: bool,
}

impl Forked {
    /// `ready`: the message that means it, as JSON text; `longest`: bytes of a message from the script.
    pub fn new(endpoint: Endpoint, ready: Option<String>, longest: u64) -> Self {
        Forked {
            endpoint,
            ready,
            lines: Lines::new(longest.min(u64::from(u32::MAX)) as usize),
            chunk: vec![0; CHUNK].into(),
            online: false,
            lane: None,
            sending: None,
            held: None,
            asleep: false,
            retiring: false,
            left: false,
            over: false,
            watching: false,
            proven: false,
            lingers: false,
        }
    }

    pub fn stock(&self) -> Stock {
        self.endpoint.stock()
    }

    /// True when it has answered as many tasks as one worker may.
    pub fn is_worn(&self) -> bool {
        self.endpoint.is_worn()
    }

    /// True when the script was taken to be ready and has not answered anything since.
    pub fn is_unproven(&self) -> bool {
        self.online && !self.proven
    }

    /// The child runs: without a message to wait for it is ready.
    pub fn runs(&mut self) -> Turn {
        let mut turn = Turn::default();
        if self.ready.is_none() {
            self.go_online(&mut turn);
        }
        turn
    }

    fn prove(&mut self, turn: &mut Turn) {
        turn.proven |= !self.proven;
        self.proven = true;
    }

    fn go_online(&mut self, turn: &mut Turn) {
        self.online = true;
        self.endpoint.online();
        turn.online = true;
    }

    /// Does what can be done now. `rung`: the doorbell was, or there is another reason to look for tasks.
    pub fn turn(&mut self, channel: &Fd, rung: bool) -> Turn {
        let mut turn = Turn::default();
        let before = self.lane;
        self.hear(channel, CHUNKS, &mut turn);
        if rung || turn.online || (before.is_some() && self.lane.is_none()) {
            self.pull(channel, &mut turn);
        }
        self.send(channel, &mut turn);
        turn
    }

    /// The child has ended: what it said before that is still in the channel. While [`lingers`](Self::lingers) says so, an
    /// answer waits, and its end is not to be told.
    pub fn last_turn(&mut self, channel: &Fd) -> Turn {
        let mut turn = Turn::default();
        self.hear(channel, LAST_CHUNKS, &mut turn);
        self.over = true;
        self.lingers = self.held.is_some();
        turn
    }

    fn hear(&mut self, channel: &Fd, chunks: usize, turn: &mut Turn) {
        let mut lines = Vec::new();
        for _ in 0..chunks {
            if self.over {
                return;
            }
            let len = match channel.read(&mut self.chunk) {
                Ok(None) => return,
                Ok(Some(0)) | Err(_) => {
                    turn.ended = true;
                    self.over = true;
                    return;
                }
                Ok(Some(len)) => len,
            };
            let whole = self.lines.push(&self.chunk[..len], &mut lines);
            for line in lines.drain(..) {
                self.take(line, turn);
            }
            if whole.is_err() {
                self.give_up(reply::NO_MEMORY, Vec::new(), turn);
            }
        }
    }

    /// The task, if it has no answer yet, gets this one; the script gets no further task.
    fn give_up(&mut self, tag: u32, line: Vec<u8>, turn: &mut Turn) {
        if self.held.is_none() {
            self.answer(tag, line, turn);
        }
        turn.broken = true;
        self.over = true;
    }

    fn take(&mut self, line: Vec<u8>, turn: &mut Turn) {
        let short = line.len() <= LOOKED_INTO;
        if self.over || (short && is_internal(&line)) {
            return;
        }
        if short && !is_message(&line) {
            // Which answer belongs to which task is no longer certain. This one's fails to be decoded.
            return self.give_up(reply::RESULT, line, turn);
        }
        if !self.online && short && self.ready.as_deref().is_some_and(|ready| is_same(&line, ready)) {
            self.go_online(turn);
            self.prove(turn);
        } else if self.lane.is_none() || self.sending.is_some() || self.held.is_some() {
            // Before the whole message has gone out nothing can be its answer.
            turn.surplus += 1;
        } else {
            self.prove(turn);
            self.answer(reply::RESULT, line, turn);
        }
    }

    fn answer(&mut self, tag: u32, line: Vec<u8>, turn: &mut Turn) {
        self.held = Some(Answer { tag, line, staged: None, copied: 0 });
        self.push_answer(turn);
    }

    /// Does one part of what is to be done with the answer that is held.
    fn push_answer(&mut self, turn: &mut Turn) {
        let (Some(lane), Some(mut answer)) = (self.lane, self.held.take()) else { return };
        if answer.copied < answer.line.len() && answer.line.len() > PART {
            match self.copy_part(&mut answer) {
                Ok(()) => turn.again = true,
                Err(Sent::Full) => {}
                Err(_) => return self.answer(reply::NO_MEMORY, Vec::new(), turn),
            }
            self.held = Some(answer);
            return;
        }
        let outcome = Outcome { codec: JSON, body: &answer.line, attachments: &[], staged: answer.staged };
        match self.endpoint.finish(lane, answer.tag, outcome) {
            Sent::Full => self.held = Some(answer),
            Sent::NoMemory => self.answer(reply::NO_MEMORY, Vec::new(), turn),
            Sent::Yes | Sent::Revoked => {
                self.lane = None;
                self.sending = None;
            }
        }
    }

    fn copy_part(&mut self, answer: &mut Answer) -> Result<(), Sent> {
        let at = match answer.staged {
            Some(at) => at,
            None => *answer.staged.insert(self.endpoint.stage(answer.line.len() as u64)?),
        };
        let end = answer.line.len().min(answer.copied + PART);
        let part = &answer.line[answer.copied..end];
        self.endpoint.stage_part(at + answer.copied as u64, part).map_err(|_| Sent::NoMemory)?;
        answer.copied = end;
        Ok(())
    }

    /// Reads the mail and takes a task when the script is free.
    fn pull(&mut self, channel: &Fd, turn: &mut Turn) {
        self.push_answer(turn);
        if self.over || !self.online || self.held.is_some() {
            return;
        }
        if self.asleep {
            self.asleep = false;
            self.endpoint.wake();
        }
        loop {
            match self.endpoint.step() {
                Next::Task { lane, task } => {
                    self.lane = Some(lane);
                    self.sending = Some(Sending { task, at: 0 });
                }
                // The script cannot be told; it is killed when it does not answer at once.
                Next::Cancel { .. } => {}
                Next::Retire => self.retiring = true,
                Next::Busy => break,
                Next::Asleep => {
                    self.asleep = true;
                    break;
                }
            }
        }
        if self.retiring && self.lane.is_none() && !self.left {
            self.left = true;
            self.endpoint.bye();
            channel.end_writing();
            turn.let_go = true;
        }
    }

    fn send(&mut self, channel: &Fd, turn: &mut Turn) {
        let full = self.send_some(channel);
        if full != self.watching {
            self.watching = full;
            turn.writable = Some(full);
        }
    }

    /// True when more is to be sent than the channel takes now.
    fn send_some(&mut self, channel: &Fd) -> bool {
        for _ in 0..CHUNKS {
            let Some(Sending { task, at }) = self.sending.as_mut().filter(|_| !self.over) else { return false };
            let payload = task.header.len as usize;
            let len = (payload - *at).min(CHUNK - 1);
            if self.endpoint.read_part(task, *at, &mut self.chunk[..len]).is_err() {
                // Only this process writes the headers; were one wrong, the task ends by its timeout.
                return false;
            }
            let last = *at + len == payload;
            self.chunk[len] = b'\n';
            match channel.write(&self.chunk[..len + usize::from(last)]) {
                Ok(Some(sent)) => *at += sent,
                Ok(None) => return true,
                // The other end is gone, which the reading side finds out.
                Err(_) => return false,
            }
            if *at > payload {
                self.sending = None;
            }
        }
        self.sending.is_some()
    }
}
