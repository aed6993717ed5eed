//! Spares, recycling, reloading and resizing, as scripts of events.

use super::workers::{Action, Cause, Event, Leave, Limits, Phase, Workers};

const MS: u64 = 1_000_000;

pub(super) fn limits(max: usize, spares: usize) -> Limits {
    Limits {
        min: 0,
        max,
        spares,
        cpus: 2,
        indices: 2 * (max + spares) + 2,
        idle: Some(30 * MS),
        start: 100 * MS,
        grace: 10 * MS,
        attempts: 5,
    }
}

fn farm(max: usize, spares: usize) -> Workers {
    Workers::new(limits(max, spares))
}

fn after(workers: &mut Workers, event: Event, now: u64) -> Vec<Action> {
    let mut actions = Vec::new();
    workers.handle(event, now, &mut actions);
    actions
}

/// All workers online, and then all spares.
fn online(max: usize, spares: usize) -> Workers {
    let mut workers = farm(max, spares);
    after(&mut workers, Event::Demand(max), 0);
    for index in 0..max + spares {
        after(&mut workers, Event::Online(index), 0);
    }
    workers
}

#[test]
fn spares_are_started_when_a_worker_takes_tasks_and_take_none() {
    let mut workers = farm(1, 2);
    assert_eq!(after(&mut workers, Event::Demand(3), 0), [Action::Spawn(0)]);
    assert_eq!(after(&mut workers, Event::Online(0), MS), [Action::SpawnPaused(1), Action::SpawnPaused(2)]);
    after(&mut workers, Event::Online(1), 2 * MS);
    after(&mut workers, Event::Online(2), 2 * MS);
    assert_eq!((workers.present(), workers.online(), workers.alive()), (1, 1, 3));
    assert!(workers.is_paused(1) && !workers.is_paused(0));
}

#[test]
fn a_spare_takes_the_place_of_a_lost_worker_at_once_and_another_is_started() {
    let mut workers = online(1, 1);
    workers.open_tasks(1);
    assert_eq!(after(&mut workers, Event::Exited(0), MS), [Action::Unpause(1), Action::SpawnPaused(2)]);
    assert_eq!((workers.online(), workers.is_paused(1)), (1, false));
}

#[test]
fn a_spare_takes_over_when_a_worker_is_killed_not_when_it_has_ended() {
    let mut workers = online(1, 1);
    let actions = after(&mut workers, Event::Wedged { worker: 0, cause: Cause::Stalled }, MS);
    assert_eq!(actions, [Action::Kill(0, Cause::Stalled), Action::Unpause(1), Action::SpawnPaused(2)]);
}

#[test]
fn a_spare_that_still_starts_is_taken_before_another_is_started() {
    let mut workers = farm(1, 1);
    after(&mut workers, Event::Demand(1), 0);
    after(&mut workers, Event::Online(0), 0);
    let actions = after(&mut workers, Event::Exited(0), MS);
    assert_eq!(actions, [Action::Unpause(1)], "no spare is started before one takes tasks");
    assert_eq!(after(&mut workers, Event::Online(1), 2 * MS), [Action::SpawnPaused(2)]);
}

#[test]
fn an_idle_farm_keeps_no_spares() {
    let mut workers = online(1, 1);
    workers.open_tasks(0);
    let actions = after(&mut workers, Event::Idle { worker: 0, since: 0 }, 30 * MS);
    assert_eq!(actions, [Action::Retire(0, Leave::Idle), Action::Retire(1, Leave::Spare)]);
}

#[test]
fn a_worn_worker_leaves_when_its_successor_is_there() {
    let mut workers = online(2, 0);
    assert_eq!(after(&mut workers, Event::Worn(0), MS), [Action::Spawn(2)]);
    assert_eq!((workers.phase(0), workers.present()), (Phase::Online, 2));
    assert_eq!(after(&mut workers, Event::Online(2), 2 * MS), [Action::Retire(0, Leave::Recycle)]);
    assert_eq!(workers.present(), 2);
    assert_eq!(after(&mut workers, Event::Exited(0), 3 * MS), []);
}

#[test]
fn a_spare_is_the_successor_of_a_worn_worker() {
    let mut workers = online(1, 1);
    let actions = after(&mut workers, Event::Worn(0), MS);
    assert_eq!(actions, [Action::Unpause(1), Action::Retire(0, Leave::Recycle), Action::SpawnPaused(2)]);
}

#[test]
fn few_are_replaced_at_a_time() {
    let mut workers = online(8, 0);
    let mut spawned = 0;
    for index in 0..8 {
        spawned += after(&mut workers, Event::Worn(index), MS).len();
    }
    assert_eq!(spawned, 2, "a quarter");
    let actions = after(&mut workers, Event::Online(8), 2 * MS);
    assert_eq!(actions, [Action::Retire(0, Leave::Recycle), Action::Spawn(10)]);
}

#[test]
fn the_successor_of_a_worker_that_dies_first_is_one_of_the_farm() {
    let mut workers = online(1, 0);
    after(&mut workers, Event::Worn(0), MS);
    assert_eq!(after(&mut workers, Event::Exited(0), 2 * MS), [], "it is on its way already");
    assert_eq!(workers.present(), 1);
    assert_eq!(after(&mut workers, Event::Online(1), 3 * MS), []);
}

#[test]
fn a_successor_that_does_not_start_leaves_the_worn_one_at_work() {
    let mut workers = online(1, 0);
    after(&mut workers, Event::Worn(0), MS);
    assert_eq!(after(&mut workers, Event::StartFailed(1), 2 * MS), []);
    after(&mut workers, Event::Exited(1), 2 * MS);
    assert_eq!(workers.online(), 1);
    assert_eq!(workers.deadline(), Some(102 * MS), "another is tried after the back-off");
    assert_eq!(after(&mut workers, Event::Tick, 102 * MS), [Action::Spawn(2)]);
}

#[test]
fn a_reload_replaces_one_after_the_other_and_says_when_all_are_gone() {
    let mut workers = online(2, 0);
    assert_eq!(after(&mut workers, Event::Reload, MS), [Action::Spawn(2)]);
    let actions = after(&mut workers, Event::Online(2), 2 * MS);
    assert_eq!(actions, [Action::Retire(0, Leave::Reload), Action::Spawn(3)]);
    assert_eq!(after(&mut workers, Event::Online(3), 3 * MS), [Action::Retire(1, Leave::Reload)]);
    assert_eq!(after(&mut workers, Event::Exited(0), 4 * MS), []);
    assert_eq!(after(&mut workers, Event::Exited(1), 5 * MS), [Action::Reloaded { done: true, count: 1 }]);
}

#[test]
fn a_reload_with_nobody_there_is_done_at_once() {
    assert_eq!(after(&mut farm(2, 0), Event::Reload, 0), [Action::Reloaded { done: true, count: 1 }]);
}

#[test]
fn a_reload_whose_workers_do_not_start_is_given_up_and_the_old_ones_stay() {
    let mut workers = online(2, 0);
    after(&mut workers, Event::Reload, MS);
    assert_eq!(after(&mut workers, Event::StartFailed(2), 2 * MS), [Action::Reloaded { done: false, count: 1 }]);
    after(&mut workers, Event::Exited(2), 3 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 9000 * MS), []);
    assert_eq!(workers.online(), 2);
}

#[test]
fn a_reload_takes_old_spares_away() {
    let mut workers = online(1, 1);
    let actions = after(&mut workers, Event::Reload, MS);
    assert_eq!(actions, [Action::Spawn(2), Action::Retire(1, Leave::Spare), Action::SpawnPaused(3)]);
}

#[test]
fn more_workers_come_and_fewer_go_when_asked_to() {
    let mut workers = online(2, 0);
    after(&mut workers, Event::Demand(9), 0);
    let actions = after(&mut workers, Event::Resize { min: 0, max: 4, indices: 10 }, MS);
    assert_eq!(actions, [Action::Spawn(2), Action::Spawn(3)]);
    after(&mut workers, Event::Online(2), MS);
    after(&mut workers, Event::Online(3), MS);
    assert_eq!(after(&mut workers, Event::Resize { min: 0, max: 3, indices: 8 }, 2 * MS), []);
    assert_eq!(after(&mut workers, Event::Surplus(1), 2 * MS), [Action::Retire(1, Leave::Resize)]);
    assert_eq!(after(&mut workers, Event::Surplus(2), 2 * MS), [], "three may stay");
    assert_eq!(after(&mut workers, Event::Exited(1), 3 * MS), []);
}

#[test]
fn a_larger_minimum_is_started_at_once() {
    let mut workers = farm(4, 0);
    let actions = after(&mut workers, Event::Resize { min: 2, max: 4, indices: 10 }, 0);
    assert_eq!(actions, [Action::Spawn(0), Action::Spawn(1)]);
}

#[test]
fn worn_workers_that_wait_for_their_turn_set_no_deadline_that_is_over() {
    let mut workers = online(2, 0);
    after(&mut workers, Event::Fruitless(0), MS);
    after(&mut workers, Event::Worn(0), 500 * MS);
    after(&mut workers, Event::Worn(1), 500 * MS);
    after(&mut workers, Event::Tick, 500 * MS);
    assert_eq!(workers.deadline(), Some(600 * MS), "the start of the first successor");
}

#[test]
fn those_that_were_starting_when_there_were_to_be_fewer_leave_when_they_come_too_late() {
    let mut workers = farm(3, 0);
    after(&mut workers, Event::Demand(3), 0);
    after(&mut workers, Event::Resize { min: 0, max: 1, indices: 4 }, MS);
    assert_eq!(after(&mut workers, Event::Online(1), 2 * MS), [], "who comes first stays");
    assert_eq!(after(&mut workers, Event::Surplus(1), 2 * MS), []);
    assert_eq!(after(&mut workers, Event::Online(0), 2 * MS), [Action::Retire(0, Leave::Resize)]);
    assert_eq!(after(&mut workers, Event::Online(2), 2 * MS), [Action::Retire(2, Leave::Resize)]);
}

#[test]
fn a_failed_start_costs_no_task_while_a_spare_is_there() {
    let mut workers = farm(2, 1);
    after(&mut workers, Event::Demand(2), 0);
    after(&mut workers, Event::Online(0), 0);
    after(&mut workers, Event::Online(2), 0);
    workers.open_tasks(1);
    after(&mut workers, Event::Idle { worker: 0, since: 0 }, 30 * MS);
    after(&mut workers, Event::Demand(1), 30 * MS);
    assert_eq!(after(&mut workers, Event::StartFailed(1), 31 * MS), [Action::Unpause(2)]);
    assert_eq!(workers.present(), 1);
}

#[test]
fn one_that_closes_its_channel_instead_of_leaving_is_made_to_go() {
    let mut workers = online(1, 0);
    after(&mut workers, Event::Close { by: u64::MAX }, MS);
    after(&mut workers, Event::Unreachable(0), 2 * MS);
    let due = workers.deadline().expect("it has a second");
    assert_eq!(after(&mut workers, Event::Tick, due), [Action::Kill(0, Cause::Channel)]);
}

#[test]
fn a_spare_that_does_not_start_is_tried_again_after_the_back_off() {
    let mut workers = farm(1, 1);
    after(&mut workers, Event::Demand(1), 0);
    assert_eq!(after(&mut workers, Event::Online(0), 0), [Action::SpawnPaused(1)]);
    assert_eq!(after(&mut workers, Event::StartFailed(1), MS), []);
    after(&mut workers, Event::Exited(1), MS);
    assert_eq!(workers.deadline(), Some(101 * MS));
    assert_eq!(after(&mut workers, Event::Tick, 101 * MS), [Action::SpawnPaused(2)]);
}

#[test]
fn spares_start_as_many_at_once_as_there_are_cpus() {
    let mut workers = farm(1, 4);
    after(&mut workers, Event::Demand(1), 0);
    assert_eq!(after(&mut workers, Event::Online(0), MS), [Action::SpawnPaused(1), Action::SpawnPaused(2)]);
    assert_eq!(after(&mut workers, Event::Online(1), 2 * MS), [Action::SpawnPaused(3)]);
    assert_eq!(after(&mut workers, Event::Exited(2), 3 * MS), [Action::SpawnPaused(4)], "one that ends makes room too");
    assert_eq!(after(&mut workers, Event::Online(3), 4 * MS), [Action::SpawnPaused(5)]);
    assert_eq!(after(&mut workers, Event::Online(4), 5 * MS), []);
    assert_eq!(after(&mut workers, Event::Online(5), 5 * MS), [], "all are there");
}

#[test]
fn workers_that_tasks_wait_for_start_before_spares_however_many_they_are() {
    let mut workers = farm(4, 2);
    assert_eq!(after(&mut workers, Event::Demand(4), 0), (0..4).map(Action::Spawn).collect::<Vec<_>>());
    assert_eq!(after(&mut workers, Event::Online(0), MS), []);
    assert_eq!(after(&mut workers, Event::Online(1), 2 * MS), []);
    assert_eq!(after(&mut workers, Event::Online(2), 3 * MS), [Action::SpawnPaused(4)]);
    workers.open_tasks(4);
    let actions = after(&mut workers, Event::Exited(0), 4 * MS);
    assert_eq!(actions, [Action::Unpause(4)], "the one that tasks wait for now counts too");
    assert_eq!(after(&mut workers, Event::Online(3), 5 * MS), [Action::SpawnPaused(5)]);
}

#[test]
fn of_spares_that_start_the_first_is_taken_whatever_its_number() {
    let mut workers = farm(1, 2);
    after(&mut workers, Event::Demand(1), 0);
    after(&mut workers, Event::Online(0), 0);
    workers.open_tasks(9);
    after(&mut workers, Event::Exited(1), MS);
    after(&mut workers, Event::Drained(1), MS);
    after(&mut workers, Event::Exited(3), 2 * MS);
    assert_eq!(workers.phase(1), Phase::Starting);
    assert_eq!(after(&mut workers, Event::Exited(0), 3 * MS), [Action::Unpause(2)]);
}

#[test]
fn spares_that_wait_for_others_to_start_are_no_deadline() {
    let mut workers = Workers::new(Limits { start: 1000 * MS, ..limits(1, 3) });
    after(&mut workers, Event::Demand(1), 0);
    after(&mut workers, Event::Online(0), 0);
    after(&mut workers, Event::Fruitless(1), MS);
    after(&mut workers, Event::Exited(1), MS);
    assert_eq!(workers.deadline(), Some(101 * MS));
    assert_eq!(after(&mut workers, Event::Tick, 101 * MS), [Action::SpawnPaused(3)]);
    assert_eq!(workers.deadline(), Some(1000 * MS), "not that of the back-off, which is over");
}
