//! THE POOL: decides, does nothing. Two plain machines without clock, I/O, lock or unsafe code: [`tasks`] for the parent's
//! JavaScript thread (order, slots, settling), [`workers`] for the supervisor (how many, the kill ladder, idling, closing), with
//! [`wedge`] (who computes, waits, is blocked or stopped) and [`quiet`] (whose memory is not wanted) beside it.

mod cause;
pub mod quiet;
pub mod tasks;
pub mod wedge;
pub mod workers;

#[cfg(test)]
mod any_events_tests;
#[cfg(test)]
mod replacement_tests;
