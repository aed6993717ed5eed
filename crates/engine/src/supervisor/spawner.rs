//! The spawner: starts children, and gives memory back when none is to be started. `posix_spawn` returns only when the child
//! has executed its program, which can take seconds on a slow disk; no deadline may wait for that. The thread never ends,
//! because the children's parent-death signal is bound to it.
//!
//! The guard is ordered when the first worker runs. It goes before the workers that wait: code of the first may start
//! processes long before the last one runs.

use super::command::{Command, Inbox};
use super::guard_process;
use super::panic::words;
use crossbeam::channel::{unbounded, Receiver, Sender};
use farm_sys::{spawn, Child, Error, Result, SpawnPlan};
use farm_transport::Cooling;
use std::collections::VecDeque;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

const SIGKILL: i32 = 9;

pub enum Order {
    /// `guarded`: its process group ends with this process.
    Worker { farm: u32, worker: usize, plan: Box<SpawnPlan>, guarded: bool },
    /// The guard of this process.
    Guard { program: String },
    /// The memory of free blocks goes back to the system; then they go to `done`.
    Cool { cooling: Cooling, done: Box<dyn FnOnce(Cooling) + Send> },
}

impl Order {
    fn urgency(&self) -> u8 {
        match self {
            Order::Guard { .. } => 0,
            Order::Worker { .. } => 1,
            Order::Cool { .. } => 2,
        }
    }
}

/// `turns`: those of the children, on a CPU; this thread has turns of its own.
pub fn start(supervisor: Inbox, turns: u64) -> Result<Sender<Order>> {
    let (orders, received) = unbounded::<Order>();
    std::thread::Builder::new()
        .name("farm-spawner".into())
        .spawn(move || {
            let mut waiting = VecDeque::new();
            // The supervisor keeps the other end for ever.
            while let Some(order) = next(&received, &mut waiting) {
                let started = match order {
                    Order::Worker { farm, worker, plan, guarded } => {
                        let start = || {
                            let child = spawn(&plan, turns)?;
                            if guarded {
                                list(child)
                            } else {
                                Ok(child)
                            }
                        };
                        Command::Spawned { farm, worker, child: or_fault(start) }
                    }
                    Order::Guard { program } => Command::GuardStarted(or_fault(|| guard_process::start(&program))),
                    Order::Cool { cooling, done } => {
                        waiting.extend(cool(cooling, done));
                        continue;
                    }
                };
                supervisor.tell(started);
            }
        })
        .map_err(|error| Error::system("thread", error))?;
    Ok(orders)
}

fn next(orders: &Receiver<Order>, waiting: &mut VecDeque<Order>) -> Option<Order> {
    if waiting.is_empty() {
        waiting.push_back(orders.recv().ok()?);
    }
    waiting.extend(orders.try_iter());
    let (first, _) = waiting.iter().enumerate().min_by_key(|(place, order)| (order.urgency(), *place))?;
    waiting.remove(first)
}

/// A step of it, and the order for the rest. After a panic its blocks are nobody's: the arena does with others.
fn cool(mut cooling: Cooling, done: Box<dyn FnOnce(Cooling) + Send>) -> Option<Order> {
    let step = catch_unwind(AssertUnwindSafe(move || {
        let more = cooling.step();
        (cooling, more)
    }));
    match step {
        Ok((cooling, true)) => return Some(Order::Cool { cooling, done }),
        Ok((cooling, false)) => drop(catch_unwind(AssertUnwindSafe(|| done(cooling)))),
        Err(_) => {}
    }
    None
}

/// A panic is a start that has failed: with this thread all children of this process would end.
fn or_fault<T>(start: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(start))
        .unwrap_or_else(|panic| Err(Error::system("spawner", io::Error::other(words(panic.as_ref())))))
}

/// From here on the guard knows of it.
fn list(child: Child) -> Result<Child> {
    let listed = guard_process::groups().and_then(|groups| {
        child.start_of_groups().map_or(Ok(()), |start| groups.list_cgroups(&start))?;
        groups.list(child.pid())
    });
    if let Err(error) = listed {
        let _ = child.signal(SIGKILL);
        child.wait();
        return Err(error);
    }
    Ok(child)
}

#[cfg(test)]
mod tests {
    use super::*;
    use farm_sys::{Program, Restrictions, Stdio};
    use farm_transport::{Arena, Segment};
    use std::sync::Arc;

    #[test]
    fn the_guard_does_not_wait_for_the_workers_that_do_nor_they_for_memory() {
        let (orders, received) = unbounded();
        let worker = |worker| {
            let program = Program { path: "".into(), shown_as: None, args: vec![], env: vec![], cwd: None };
            let (stdio, restrictions) = ([Stdio::Null, Stdio::Null, Stdio::Null], Restrictions::default());
            let plan = SpawnPlan { program, stdio, pass: vec![], session: false, tree: false, restrictions };
            Order::Worker { farm: 1, worker, plan: Box::new(plan), guarded: true }
        };
        let mut arena = Arena::new(Arc::new(Segment::create("farm-test", 1 << 20).unwrap()));
        let at = arena.reserve(4096).unwrap();
        arena.give(at, 4096);
        orders.send(Order::Cool { cooling: arena.lend().unwrap(), done: Box::new(drop) }).unwrap();
        let mut waiting = VecDeque::new();
        let mut next_is = || match next(&received, &mut waiting) {
            Some(Order::Worker { worker, .. }) => Some(worker as i32),
            Some(Order::Guard { .. }) => Some(-1),
            Some(Order::Cool { .. }) => Some(-2),
            None => None,
        };
        (0..3).for_each(|index| orders.send(worker(index)).unwrap());
        assert_eq!(next_is(), Some(0));
        orders.send(Order::Guard { program: String::new() }).unwrap();
        orders.send(worker(3)).unwrap();
        assert_eq!([next_is(), next_is(), next_is(), next_is()], [Some(-1), Some(1), Some(2), Some(3)]);
        assert_eq!(next_is(), Some(-2));
        drop(orders);
        assert_eq!(next_is(), None);
    }
}
