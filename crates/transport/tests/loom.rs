//! Models of the lock-free parts, run by loom over the shipped source: every order of steps and every value that the
//! memory model allows, up to a bound on preemptions. `npm run loom`; FARM_LOOM_PREEMPTIONS=3 for the long form.
#![cfg(loom)]

#[path = "loom/line.rs"]
mod line;
#[path = "loom/queue.rs"]
mod queue;
#[path = "loom/ring.rs"]
mod ring;
#[path = "loom/settle.rs"]
mod settle;
#[path = "loom/wake.rs"]
mod wake;
