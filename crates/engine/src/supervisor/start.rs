//! Starting one worker: its segments, the line or channel, the order to the spawner.

use super::farm_state::{token, FarmState, Hands, Watched};
use super::forked::{Forked, Turn};
use super::recycle::{jitter, jittered};
use super::spawner::Order;
use super::worker::Worker;
use crate::pool::workers::{Cause, Event, Phase};
use crate::process::{spawn_plan, Pump, Stream};
use crate::settings::{ForkSettings, Output};
use crate::shared::{FarmEvent, WorkerLine};
use farm_sys::{monotonic_ns, usable_cpus, Child, Doorbell, Line};
use farm_transport::endpoint::{Endpoint, Hello, Parts};
use farm_transport::layout::{self, ARENA, SMALLEST_ARENA};
use farm_transport::{Segment, WorkerSegment};
use std::sync::atomic::Ordering::*;

impl FarmState {
    pub(super) fn start(&mut self, worker: usize, hands: &Hands) -> farm_sys::Result<()> {
        let arena = Segment::create_sparse("farm-replies", ARENA, SMALLEST_ARENA)?;
        let shared = WorkerLine::new(WorkerSegment::create()?, arena);
        shared.own.paused().store(self.pool.is_paused(worker).into(), Release);
        let (line, theirs, forked) = match &self.shared.settings.fork {
            None => {
                let (line, theirs) = Line::pair()?;
                (line, theirs, None)
            }
            Some(fork) => {
                let (channel, theirs) = Line::stream_pair()?;
                let hello = self.hello(worker, &shared);
                (Line::from_fd(channel), theirs, Some(self.forked(fork, hello, &shared)?))
            }
        };

        let farm = self.shared.clone();
        let (plan, streams) = spawn_plan(&self.shared.settings, theirs, |number, fd, output: Output| {
            let farm = farm.clone();
            let deliver = move |bytes| farm.post(FarmEvent::Output { worker, stream: number, bytes });
            let flow = self.shared.output.clone();
            Stream::new(fd, number, output, format!("[worker {}] ", worker + 1), Box::new(deliver), flow)
        })?;
        let pump = Pump::get()?;
        streams.iter().for_each(|stream| pump.watch(stream.clone()));
        hands.poller.add(line.fd(), token(self.shared.id, worker, Watched::Line))?;
        if forked.is_some() {
            hands.poller.add(self.shared.bell(worker).fd(), token(self.shared.id, worker, Watched::Bell))?;
        }
        let order = Order::Worker {
            farm: self.shared.id,
            worker,
            plan: Box::new(plan),
            guarded: self.shared.settings.guard.is_some(),
        };
        // First: the rest can be done while the process starts. Its news comes to this thread, so not before that.
        let no_spawner = |_| farm_sys::Error::Unsupported { what: "spawning without its thread" };
        hands.spawner.send(order).map_err(no_spawner)?;
        self.shared.post(FarmEvent::Joined { worker, line: shared.clone() });
        self.workers[worker] = Some(Worker::new(line, shared, streams, monotonic_ns(), forked));
        Ok(())
    }

    pub(super) fn hello(&self, worker: usize, shared: &WorkerLine) -> Hello {
        let settings = &self.shared.settings;
        Hello {
            layout: layout::VERSION,
            worker: worker as u16,
            workers: self.shared.bells().len(),
            lanes: settings.lanes,
            pulse: settings.spares > 0,
            tasks: settings
                .recycle
                .tasks
                .map_or(0, |tasks| jittered(tasks, jitter(self.shared.id, worker, monotonic_ns()))),
            // The supervisor has others to look after.
            spin_ns: if settings.fork.is_some() { 0 } else { settings.spin },
            cpus: usable_cpus(),
            boot_len: self.boot.len(),
            arena_len: shared.arena.len(),
            requests_len: self.line.requests.len(),
            max_shared: settings.max_shared,
        }
    }

    /// What stands in for a worker that does not.
    fn forked(&self, fork: &ForkSettings, hello: Hello, shared: &WorkerLine) -> farm_sys::Result<Forked> {
        let parts = Parts {
            queue: self.line.queue.share(self.shared.bells().len()),
            requests: self.line.requests.clone(),
            own: shared.own.clone(),
            arena: shared.arena.clone(),
            parent_bell: Doorbell::from_fd(self.shared.parent_bell.fd().duplicate()?),
            bells: self.shared.bells(),
        };
        let longest = hello.max_shared;
        Ok(Forked::new(Endpoint::local(hello, parts), fork.ready.clone(), longest))
    }

    /// The channel of a fork script or its doorbell has something.
    pub fn serve(&mut self, index: usize, rung: bool, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        let Some(forked) = &mut worker.forked else { return };
        if rung {
            self.shared.bell(index).clear();
        }
        let turn = forked.turn(worker.line.fd(), rung);
        self.after_turn(index, turn, hands);
        if self.lingers(index) {
            self.check_exit(index, hands);
        }
    }

    /// The child of a fork script runs.
    pub(super) fn fork_runs(&mut self, index: usize, hands: &Hands) {
        let Some(forked) = self.workers[index].as_mut().and_then(|worker| worker.forked.as_mut()) else { return };
        let turn = forked.runs();
        self.after_turn(index, turn, hands);
        self.serve(index, true, hands);
    }

    /// True when the child has ended and an answer of it waits for its place.
    pub(super) fn lingers(&self, index: usize) -> bool {
        self.workers[index].as_ref().and_then(|worker| worker.forked.as_ref()).is_some_and(|forked| forked.lingers)
    }

    /// The child of a fork script has ended. True when that is not to be told yet, nor the child to be reaped: an answer of
    /// it waits for the JavaScript thread to take others.
    pub(super) fn fork_stays(&mut self, index: usize, hands: &Hands) -> bool {
        let Some(worker) = &mut self.workers[index] else { return false };
        let Some(forked) = &mut worker.forked else { return false };
        let ended = worker.child.as_ref().is_some_and(Child::has_ended);
        if !ended || !matches!(worker.cause, None | Some(Cause::Channel)) {
            return false;
        }
        let turn = forked.last_turn(worker.line.fd());
        let stays = forked.lingers;
        if stays {
            hands.poller.remove(worker.line.fd());
            if let Some(fd) = worker.child.as_ref().and_then(Child::exit_fd) {
                hands.poller.remove(fd);
            }
            if turn.again {
                self.shared.ring(index as u16);
            }
        }
        self.shared.surplus.fetch_add(turn.surplus, Relaxed);
        stays
    }

    /// The child of a fork script has ended.
    pub(super) fn fork_ended(&mut self, index: usize, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        let Some(forked) = &mut worker.forked else { return };
        let turn = forked.last_turn(worker.line.fd());
        hands.poller.remove(self.shared.bell(index).fd());
        self.shared.surplus.fetch_add(turn.surplus, Relaxed);
        self.unreachable(index, hands);
    }

    /// A fork script takes no more tasks. Its exit follows; one that is not ready yet is a failed start by that.
    fn unreachable(&mut self, index: usize, hands: &Hands) {
        let forked = self.workers[index].as_ref().and_then(|worker| worker.forked.as_ref());
        let Some(unproven) = forked.map(Forked::is_unproven) else { return };
        if !matches!(self.pool.phase(index), Phase::Online | Phase::Retiring) {
            return;
        }
        if unproven && self.pool.phase(index) == Phase::Online {
            // Another would end in the same way: one is started when somebody asks, or after a while.
            self.handle(Event::Fruitless(index), hands);
        }
        self.handle(Event::Unreachable(index), hands);
    }

    fn after_turn(&mut self, index: usize, turn: Turn, hands: &Hands) {
        let Some(worker) = &mut self.workers[index] else { return };
        let worn = worker.forked.as_ref().is_some_and(Forked::is_worn);
        self.shared.surplus.fetch_add(turn.surplus, Relaxed);
        if let Some(on) = turn.writable.filter(|_| !turn.ended) {
            // Should it fail, the message stays unsent and the task ends by its timeout.
            let _ = hands.poller.set_writable(worker.line.fd(), token(self.shared.id, index, Watched::Line), on);
        }
        if turn.ended || turn.broken {
            hands.poller.remove(worker.line.fd());
        }
        if turn.again {
            self.shared.ring(index as u16);
        }
        if turn.broken {
            worker.kill(Cause::Channel);
        }
        if turn.online {
            self.shared.post(FarmEvent::Online { worker: index });
            self.handle(Event::Runs(index), hands);
        }
        if turn.proven {
            self.handle(Event::Online(index), hands);
        }
        if worn {
            self.handle(Event::Worn(index), hands);
        }
        if turn.let_go {
            self.handle(Event::LetGo(index), hands);
        }
        if turn.ended {
            self.unreachable(index, hands);
        }
    }
}
