//! What workers write. A thread of its own reads the pipes and passes the bytes on, so that no deadline waits behind a
//! slow terminal; the last lines of stderr are kept for the exit record.

use crate::settings::Output;
use crossbeam::channel::{unbounded, Receiver, Sender};
use farm_sys::{Doorbell, Fd, Poller};
use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Bytes of stderr that an exit record shows at most.
const TAIL: usize = 8 * 1024;
const CHUNK: usize = 64 * 1024;

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
    kept: Mutex<Kept>,
}

impl Stream {
    pub fn new(fd: Fd, number: u8, output: Output, label: String, deliver: Deliver) -> Arc<Stream> {
        let kept = Mutex::new(Kept { tail: VecDeque::new(), pending: Vec::new(), ended: false });
        Arc::new(Stream { fd, number, output, label, deliver, kept })
    }

    pub fn is_stderr(&self) -> bool {
        self.number == 2
    }

    /// Reads what is there now. Called by the pump, and by the supervisor at the worker's end so that the record is
    /// complete; nobody holds the lock while writing elsewhere.
    pub fn read(&self) {
        let Ok(mut kept) = self.kept.lock() else { return };
        let mut chunk = [0; CHUNK];
        while !kept.ended {
            match self.fd.read(&mut chunk) {
                Ok(Some(0)) | Err(_) => kept.ended = true,
                Ok(None) => break,
                Ok(Some(n)) => {
                    kept.tail.extend(&chunk[..n]);
                    let over = kept.tail.len().saturating_sub(TAIL);
                    kept.tail.drain(..over);
                    kept.pending.extend_from_slice(&chunk[..n]);
                    if kept.pending.len() >= 4 * CHUNK {
                        break;
                    }
                }
            }
        }
    }

    /// The last lines, as text.
    pub fn tail(&self) -> String {
        let Ok(kept) = self.kept.lock() else { return String::new() };
        let bytes: Vec<u8> = kept.tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim_end().to_string()
    }

    /// Passes on what was read; true when the pipe has ended.
    fn pass_on(&self) -> bool {
        let (bytes, ended) = {
            let Ok(mut kept) = self.kept.lock() else { return true };
            let whole = if self.output == Output::Prefix && !kept.ended {
                kept.pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
            } else {
                kept.pending.len()
            };
            let rest = kept.pending.split_off(whole);
            (std::mem::replace(&mut kept.pending, rest), kept.ended)
        };
        if !bytes.is_empty() {
            match self.output {
                Output::Pipe => (self.deliver)(bytes),
                Output::Inherit => write_all(self.number, &bytes),
                Output::Prefix => write_all(self.number, &self.prefixed(&bytes)),
                Output::Ignore => {}
            }
        }
        ended
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

/// Writes to the parent's own stdout or stderr, which Node may have made non-blocking.
fn write_all(number: u8, mut bytes: &[u8]) {
    let mut target: Box<dyn Write> =
        if number == 1 { Box::new(std::io::stdout()) } else { Box::new(std::io::stderr()) };
    while !bytes.is_empty() {
        match target.write(bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1))
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
    let _ = target.flush();
}

/// The thread that reads all pipes of all farms of this process.
pub struct Pump {
    add: Sender<Arc<Stream>>,
    bell: Arc<Doorbell>,
}

impl Pump {
    pub fn get() -> farm_sys::Result<&'static Pump> {
        static PUMP: OnceLock<Pump> = OnceLock::new();
        if let Some(pump) = PUMP.get() {
            return Ok(pump);
        }
        let (add, added) = unbounded();
        let bell = Arc::new(Doorbell::new()?);
        let poller = Poller::new()?;
        poller.add(bell.fd(), 0)?;
        let pump = PUMP.get_or_init(|| Pump { add, bell: bell.clone() });
        if Arc::ptr_eq(&pump.bell, &bell) {
            std::thread::Builder::new()
                .name("farm-output".into())
                .spawn(move || run(poller, &added, &bell))
                .map_err(|error| farm_sys::Error::system("thread", error))?;
        }
        Ok(pump)
    }

    pub fn watch(&self, stream: Arc<Stream>) {
        let _ = self.add.send(stream);
        self.bell.ring();
    }
}

fn run(poller: Poller, added: &Receiver<Arc<Stream>>, bell: &Doorbell) {
    let mut streams: HashMap<u64, Arc<Stream>> = HashMap::new();
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
                while let Ok(stream) = added.try_recv() {
                    if poller.add(&stream.fd, next).is_ok() {
                        streams.insert(next, stream);
                        next += 1;
                    }
                }
            } else if let Some(stream) = streams.get(token) {
                stream.read();
                if stream.pass_on() {
                    poller.remove(&stream.fd);
                    streams.remove(token);
                }
            }
        }
    }
}
