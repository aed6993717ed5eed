//! THE POOL: decides, does nothing. Two plain machines without clock, I/O, lock or unsafe code: [`tasks`] for the parent's
//! JavaScript thread (order, slots, settling), [`workers`] for the supervisor (how many, the kill ladder, idling, closing), with
//! [`wedge`] beside it (who computes, waits, is blocked or stopped).

mod cause;
pub mod tasks;
pub mod wedge;
pub mod workers;

#[cfg(test)]
mod any_events_tests;
#[cfg(test)]
mod replacement_tests;
