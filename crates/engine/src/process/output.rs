//! What workers write. A thread of its own reads the pipes and passes the bytes on, so that no deadline waits behind a
//! slow terminal; the last lines of stderr are kept for the exit record. Before this process ends it has its turn, so that
//! nothing is lost which a worker wrote before.

use super::Flow;
use crate::once::Once;
use crate::settings::Output;
use crossbeam::channel::{unbounded, Receiver, Sender};
use farm_sys::{Doorbell, Fd, Poller};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes of stderr that an exit record shows at most.
const TAIL: usize = 8 * 1024;
const CHUNK: usize = 64 * 1024;
/// Read before it is passed on, and the longest line that gets one prefix.
const MOST_PENDING: usize = 4 * CHUNK;
/// Rounds over one pipe before the next has its turn, or a worker's end is told: somebody may write without end.
const ROUNDS: usize = 16;
/// What is left has this long when the process ends.
const LAST_TURN: Duration = Duration::from_secs(1);

type Deliver = Box<dyn Fn(Vec<u8>) + Send + Sync>;

struct Kept {
    tail: VecDeque<u8>,
    /// Read and not yet passed on.
    pending: Vec<u8>,
    ended: bool,
}

/// One pipe from a worker.
pub struct Stream {
    fd: Fd,
    number: u8,
    output: Output,
    /// "[worker 3] ", for prefixed lines.
    label: String,
    deliver: Deliver,
    /// Of what is delivered.
    flow: Arc<Flow>,
    kept: Mutex<Kept>,
}

impl Stream {
    pub fn new(fd: Fd, number: u8, output: Output, label: String, deliver: Deliver, flow: Arc<Flow>) -> Arc<Stream> {
        let kept = Mutex::new(Kept { tail: VecDeque::new(), pending: Vec::new(), ended: false });
        Arc::new(Stream { fd, number, output, label, deliver, flow, kept })
    }

    pub fn is_stderr(&self) -> bool {
        self.number == 2
    }

    /// At the worker's end, by the supervisor: reads what is there so that the record is complete, and has it delivered
    /// before the exit is told. What goes to a terminal is left to the pump.
    pub fn finish(&self) {
        for _ in 0..ROUNDS {
            if !self.read(usize::MAX) {
                break;
            }
            if self.output == Output::Pipe {
                self.pass_on(true);
            }
        }
    }

    /// Reads what is there now, until so much waits; true when there was something. Nobody holds the lock while writing
    /// elsewhere.
    fn read(&self, most: usize) -> bool {
        let Ok(mut kept) = self.kept.lock() else { return false };
        let mut any = false;
        let mut rounds = 0;
        let mut chunk = [0; CHUNK];
        while !kept.ended && rounds < ROUNDS {
            rounds += 1;
            match self.fd.read(&mut chunk) {
                Ok(Some(0)) | Err(_) => kept.ended = true,
                Ok(None) => break,
                Ok(Some(n)) => {
                    any = true;
                    kept.tail.extend(&chunk[..n]);
                    let over = kept.tail.len().saturating_sub(TAIL);
                    kept.tail.drain(..over);
                    kept.pending.extend_from_slice(&chunk[..n]);
                    if kept.pending.len() >= most {
                        break;
                    }
                }
            }
        }
        any
    }

    /// The last lines, as text.
    pub fn tail(&self) -> String {
        let Ok(kept) = self.kept.lock() else { return String::new() };
        let bytes: Vec<u8> = kept.tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim_end().to_string()
    }

    /// Passes on what was read, of prefixed lines only whole ones unless it is `all`; true when the pipe has ended.
    fn pass_on(&self, all: bool) -> bool {
        let (bytes, ended) = {
            let Ok(mut kept) = self.kept.lock() else { return true };
            let whole = if self.output == Output::Prefix && !all && !kept.ended {
                let end = kept.pending.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
                let long = if kept.pending.len() >= MOST_PENDING { kept.pending.len() } else { 0 };
                end.unwrap_or(long)
            } else {
                kept.pending.len()
            };
            let rest = kept.pending.split_off(whole);
            let bytes = std::mem::replace(&mut kept.pending, rest);
            if self.output == Output::Pipe && !bytes.is_empty() {
                // Under the lock, which keeps the order; it only goes into an inbox.
                self.flow.came(bytes.len());
                (self.deliver)(bytes);
                return kept.ended;
            }
            (bytes, kept.ended)
        };
        if !bytes.is_empty() {
            match self.output {
                Output::Inherit => write_all(self.number, &bytes),
                Output::Prefix => write_all(self.number, &self.prefixed(&bytes)),
                Output::Pipe | Output::Ignore => {}
            }
        }
        ended
    }

    /// All that is there, by the pump.
    fn pump(&self) -> Pumped {
        for _ in 0..ROUNDS {
            if self.output == Output::Pipe && self.flow.leaves() {
                return Pumped::Left;
            }
            let any = self.read(MOST_PENDING);
            if self.pass_on(false) {
                return Pumped::Ended;
            }
            if !any {
                break;
            }
        }
        Pumped::On
    }

    fn prefixed(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.label.len() * 4);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            out.extend_from_slice(self.label.as_bytes());
            out.extend_from_slice(line);
        }
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        out
    }
}

enum Pumped {
    On,
    /// Not read for now.
    Left,
    Ended,
}

/// Writes to the parent's own stdout or stderr, which Node may have made non-blocking.
fn write_all(number: u8, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match farm_sys::write_own_output(number, bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1))
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

enum Order {
    Watch(Arc<Stream>),
    /// There may be room for what was left.
    GoOn,
    /// Pass on all that is there, then say so.
    Flush(Sender<()>),
}

static PUMP: Once<Pump> = Once::new();

/// The thread that reads all pipes of all farms of this process.
pub struct Pump {
    orders: Sender<Order>,
    bell: Arc<Doorbell>,
}

impl Pump {
    pub fn get() -> farm_sys::Result<&'static Pump> {
        PUMP.get_or_make(|| {
            let (orders, received) = unbounded();
            let bell = Arc::new(Doorbell::new()?);
            let poller = Poller::new()?;
            poller.add(bell.fd(), 0)?;
            let theirs = bell.clone();
            std::thread::Builder::new()
                .name("farm-output".into())
                .spawn(move || run(poller, &received, &theirs))
                .map_err(|error| farm_sys::Error::system("thread", error))?;
            farm_sys::library::at_exit(last_turn);
            Ok(Pump { orders, bell })
        })
    }

    pub fn watch(&self, stream: Arc<Stream>) {
        self.order(Order::Watch(stream));
    }

    /// For the streams of one farm.
    pub fn flow() -> Arc<Flow> {
        Arc::new(Flow::new(|| {
            if let Ok(pump) = Pump::get() {
                pump.order(Order::GoOn);
            }
        }))
    }

    fn order(&self, order: Order) {
        let _ = self.orders.send(order);
        self.bell.ring();
    }
}

/// The process ends: what the pipes hold is passed on, unless whoever reads our own streams is too slow.
extern "C" fn last_turn() {
    let Some(pump) = PUMP.get() else { return };
    let (done, all) = unbounded();
    pump.order(Order::Flush(done));
    let _ = all.recv_timeout(LAST_TURN);
}

fn run(poller: Poller, orders: &Receiver<Order>, bell: &Doorbell) {
    let mut streams: HashMap<u64, Arc<Stream>> = HashMap::new();
    let mut left: Vec<u64> = Vec::new();
    let mut next = 1;
    let mut ready = Vec::new();
    loop {
        ready.clear();
        if poller.wait(&mut ready, None).is_err() {
            return;
        }
        for token in &ready {
            if *token == 0 {
                bell.clear();
                while let Ok(order) = orders.try_recv() {
                    match order {
                        Order::Watch(stream) => {
                            if poller.add(&stream.fd, next).is_ok() {
                                streams.insert(next, stream);
                                next += 1;
                            }
                        }
                        Order::GoOn => left.retain(|token| {
                            let Some(stream) = streams.get(token) else { return false };
                            let on = stream.flow.goes_on();
                            if on && poller.add(&stream.fd, *token).is_err() {
                                streams.remove(token);
                            }
                            !on
                        }),
                        Order::Flush(done) => {
                            streams.values().for_each(|stream| {
                                stream.pump();
                                stream.pass_on(true);
                            });
                            let _ = done.send(());
                        }
                    }
                }
            } else if let Some(stream) = streams.get(token) {
                match stream.pump() {
                    Pumped::On => {}
                    Pumped::Left => {
                        poller.remove(&stream.fd);
                        left.push(*token);
                    }
                    Pumped::Ended => {
                        poller.remove(&stream.fd);
                        streams.remove(token);
                    }
                }
            }
        }
    }
}
