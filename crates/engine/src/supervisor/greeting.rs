//! The first words to a worker that maps the queue: its hello, with a descriptor of all that it maps. It waits for that
//! before it loads its module; by then it is held to its limits, and together with what it starts.
//!
//! Descriptors on their way count for their user, who may not have more of them than RLIMIT_NOFILE in all processes
//! together (unless privileged). So where many workers start at the same time, some wait until others have read theirs.

use super::farm_state::{FarmState, Hands};
use super::worker::{Greeting, Worker};
use farm_sys::Fd;
use farm_transport::endpoint::Refused;
use farm_transport::Segment;
use std::io::ErrorKind;

/// After this time (ns) a hello that could not be sent as a whole goes on.
const AGAIN: u64 = 2_000_000;

impl FarmState {
    /// The child of a worker runs, or waits for the rest of its hello.
    pub(super) fn welcome(&mut self, index: usize, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        let begun = worker.greeting.take();
        let Some(worker) = &self.workers[index] else { return };
        let outcome = self.greet(index, worker, begun);
        let Some(worker) = &mut self.workers[index] else { return };
        let error = match outcome {
            Ok(rest) => {
                worker.greeting = rest;
                return;
            }
            Err(error) => error,
        };
        worker.hang_up();
        let is_deaf =
            |source: &std::io::Error| matches!(source.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset);
        if matches!(&error, farm_sys::Error::System { source, .. } if is_deaf(source)) {
            // It does not listen any more: its exit is the news.
            return;
        }
        worker.failed = true;
        self.start_failed(index, "spawn", error.to_string(), None, None, hands);
    }

    /// What is left to be sent.
    fn greet(&self, index: usize, worker: &Worker, begun: Option<Greeting>) -> farm_sys::Result<Option<Greeting>> {
        let hello = self.hello(index, &worker.shared);
        let mut greeting = match begun {
            Some(greeting) => greeting,
            None => Greeting { boot: self.boot_segment()?, sent: 0 },
        };
        let mut fds: Vec<&Fd> = vec![
            self.line.queue.segment().fd(),
            self.line.requests.fd(),
            worker.shared.own.segment().fd(),
            worker.shared.arena.fd(),
            greeting.boot.fd(),
            self.shared.parent_bell.fd(),
        ];
        let bells = self.shared.bells();
        fds.extend(bells.iter().map(|bell| bell.fd()));
        let mut sent = greeting.sent;
        let all = hello.send(&worker.line, &fds, &mut sent).map_err(|error| match error {
            Refused::Line(error) => error,
            error => farm_sys::Error::system("hello", std::io::Error::other(error)),
        })?;
        greeting.sent = sent;
        Ok((!all).then_some(greeting))
    }

    fn boot_segment(&self) -> farm_sys::Result<Segment> {
        let boot = Segment::create("farm-boot", self.boot.len().max(1))?;
        boot.copy_in(0, &self.boot).map_err(|_| farm_sys::Error::Unsupported { what: "boot data of this size" })?;
        Ok(boot)
    }

    /// Goes on with hellos that could not be sent. Returns when to come again.
    pub(super) fn greet_on(&mut self, now: u64, hands: &Hands) -> u64 {
        for index in 0..self.workers.len() {
            let waits = |worker: &Option<Worker>| worker.as_ref().is_some_and(|worker| worker.greeting.is_some());
            if waits(&self.workers[index]) {
                self.welcome(index, hands);
            }
            if waits(&self.workers[index]) {
                return now + AGAIN;
            }
        }
        u64::MAX
    }
}
