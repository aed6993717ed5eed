//! Each rule of what becomes of a task, as a script of events.

use super::failing::FREE_LOSSES;
use super::*;

const NOW: Moment = Moment { now: 1_000, jitter: 0 };
/// The first back-off with this jitter.
const FIRST: u64 = 50_000_000;

fn with(count: u32, slots: usize) -> Tasks {
    let mut tasks = Tasks::new(slots, 100, 3);
    for id in 0..count {
        assert!(tasks.submit(id, Plan::default()));
    }
    tasks
}

#[test]
fn tasks_start_in_order_and_slots_are_reused_out_of_order() {
    let mut tasks = with(3, 2);
    let (a, slot_a, turn_a) = tasks.publish_next(2).unwrap();
    let (b, slot_b, turn_b) = tasks.publish_next(2).unwrap();
    assert_eq!((a, b, turn_a, turn_b), (0, 1, 100, 101));
    assert_eq!(tasks.publish_next(2), None);
    assert_eq!(tasks.ended(slot_b, turn_b), Some(1));
    assert_eq!(tasks.publish_next(2), Some((2, slot_b, 102)));
    assert_eq!(tasks.task_at(slot_a, turn_a), Some(0));
    assert_eq!(tasks.open(), 2);
}

#[test]
fn a_second_settlement_changes_nothing() {
    let mut tasks = with(1, 1);
    let (_, slot, turn) = tasks.publish_next(2).unwrap();
    assert_eq!(tasks.ended(slot, turn), Some(0));
    assert_eq!(tasks.ended(slot, turn), None);
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Unknown);
    assert!(!tasks.released(slot, turn));
    assert_eq!(tasks.open(), 0);
}

#[test]
fn a_timed_out_task_keeps_its_slot_until_the_worker_lets_go() {
    let mut tasks = with(2, 1);
    let (_, slot, turn) = tasks.publish_next(2).unwrap();
    assert_eq!(tasks.detach(slot, turn), Some(0));
    assert_eq!(tasks.publish_next(2), None);
    assert!(tasks.released(slot, turn));
    assert_eq!(tasks.publish_next(2).map(|(id, ..)| id), Some(1));
}

#[test]
fn a_task_that_never_started_goes_to_the_front_but_not_for_ever() {
    let mut tasks = with(2, 1);
    for _ in 0..FREE_LOSSES {
        let (id, slot, turn) = tasks.publish_next(2).unwrap();
        assert_eq!(id, 0);
        assert_eq!(tasks.lost(slot, turn, Loss::Unstarted, NOW), Fate::Requeued(0));
    }
    let (_, slot, turn) = tasks.publish_next(2).unwrap();
    assert_eq!(tasks.lost(slot, turn, Loss::Unstarted, NOW), Fate::Rejected { id: 0, quarantined: false });
    assert_eq!(tasks.publish_next(2).map(|(id, ..)| id), Some(1));
}

#[test]
fn cancel_tells_waiting_from_published() {
    let mut tasks = with(2, 1);
    let (_, slot, turn) = tasks.publish_next(2).unwrap();
    assert_eq!(tasks.cancel(1), Cancel::Dropped);
    assert_eq!(tasks.cancel(1), Cancel::Unknown);
    assert_eq!(tasks.cancel(0), Cancel::Published { slot, turn });
    assert_eq!(tasks.withdrawn(slot, turn), Some(0));
    assert_eq!((tasks.open(), tasks.waiting()), (0, 0));
}

#[test]
fn giving_up_settles_everything_once() {
    let mut tasks = with(3, 1);
    let (_, slot, turn) = tasks.publish_next(2).unwrap();
    let given = tasks.give_up();
    assert_eq!(given.tasks, [(0, Some(turn)), (1, None), (2, None)]);
    assert_eq!(given.published, [(slot, turn)]);
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Settled);
    assert_eq!(tasks.open(), 0);
}

const ON_EXIT: u8 = 1;
const ON_ALL: u8 = 7;

fn plan(retries: u32, retry_on: u8) -> Plan {
    Plan { retries, retry_on, priority: 0 }
}

fn of_priority(priority: i16) -> Plan {
    Plan { priority, ..Plan::default() }
}

fn one(plan: Plan, max_crashes: u32) -> Tasks {
    let mut tasks = Tasks::new(4, 100, max_crashes);
    assert!(tasks.submit(0, plan));
    tasks
}

/// Publishes the next task, of which the number is expected.
fn publish(tasks: &mut Tasks, expected: u32) -> (u32, u64) {
    let (id, slot, turn) = tasks.publish_next(2).unwrap();
    assert_eq!(id, expected);
    (slot, turn)
}

fn rejected(id: u32) -> Fate {
    Fate::Rejected { id, quarantined: false }
}

#[test]
fn a_task_without_retries_is_settled_by_its_first_failure() {
    for failure in [Failure::Exit, Failure::Timeout, Failure::Error] {
        let mut tasks = one(plan(0, ON_ALL), 3);
        let (slot, turn) = publish(&mut tasks, 0);
        assert!(!tasks.would_retry(0, failure));
        assert_eq!(tasks.failed(slot, turn, failure, NOW), rejected(0));
        assert_eq!((tasks.open(), tasks.deadline()), (0, None));
    }
}

#[test]
fn a_crash_rests_then_waits_before_the_others_and_the_last_attempt_settles() {
    let mut tasks = one(plan(2, ON_EXIT), 10);
    assert!(tasks.submit(1, Plan::default()));
    for attempt in 1..=2 {
        assert_eq!(tasks.attempt(0), attempt);
        let (slot, turn) = publish(&mut tasks, 0);
        assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Retried(0));
        let due = NOW.now + FIRST * u64::from(attempt);
        assert_eq!(tasks.deadline(), Some(due));
        tasks.tick(due - 1);
        assert_eq!((tasks.waiting(), tasks.open()), (1, 2));
        tasks.tick(due);
        assert_eq!((tasks.waiting(), tasks.deadline()), (2, None));
    }
    let (slot, turn) = publish(&mut tasks, 0);
    assert_eq!(tasks.attempt(0), 3);
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), rejected(0));
    publish(&mut tasks, 1);
}

#[test]
fn only_failures_that_the_plan_names_are_retried() {
    let all = [Failure::Exit, Failure::Timeout, Failure::Error];
    for named in all {
        for failure in all {
            let mut tasks = one(plan(1, Plan::bit(named)), 3);
            let (slot, turn) = publish(&mut tasks, 0);
            assert_eq!(tasks.would_retry(0, failure), named == failure);
            let fate = tasks.failed(slot, turn, failure, NOW);
            assert_eq!(fate == Fate::Retried(0), named == failure);
        }
    }
}

#[test]
fn after_a_timeout_the_slot_stays_with_its_worker_while_the_task_is_tried_elsewhere() {
    let mut tasks = one(plan(1, ON_ALL), 3);
    let (slot, turn) = publish(&mut tasks, 0);
    assert_eq!(tasks.failed(slot, turn, Failure::Timeout, NOW), Fate::Retried(0));
    tasks.tick(u64::MAX);
    let (other, next) = publish(&mut tasks, 0);
    assert_ne!(other, slot);
    assert!(tasks.released(slot, turn));
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Unknown);
    assert_eq!(tasks.ended(other, next), Some(0));
    assert_eq!(tasks.open(), 0);
}

#[test]
fn a_task_that_has_ended_too_many_workers_is_quarantined() {
    let mut tasks = one(plan(100, ON_ALL), 2);
    let (slot, turn) = publish(&mut tasks, 0);
    // What it throws is no crash.
    assert_eq!(tasks.failed(slot, turn, Failure::Error, NOW), Fate::Retried(0));
    tasks.tick(u64::MAX);
    let (slot, turn) = publish(&mut tasks, 0);
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Retried(0));
    tasks.tick(u64::MAX);
    let (slot, turn) = publish(&mut tasks, 0);
    assert_eq!(tasks.attempt(0), 3);
    assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Rejected { id: 0, quarantined: true });
}

#[test]
fn a_neighbour_of_the_one_to_blame_is_tried_again_without_counting_if_it_may_be_at_all() {
    let mut tasks = one(plan(1, ON_EXIT), 2);
    for _ in 0..10 {
        let (slot, turn) = publish(&mut tasks, 0);
        assert_eq!(tasks.lost(slot, turn, Loss::Collateral, NOW), Fate::Requeued(0));
        assert_eq!((tasks.attempt(0), tasks.deadline()), (1, None));
    }
    for no in [plan(0, ON_EXIT), plan(5, Plan::bit(Failure::Error))] {
        let mut tasks = one(no, 2);
        let (slot, turn) = publish(&mut tasks, 0);
        assert_eq!(tasks.lost(slot, turn, Loss::Collateral, NOW), rejected(0));
    }
}

#[test]
fn a_task_that_rests_can_be_given_up_at_any_time() {
    let resting = || {
        let mut tasks = one(plan(1, ON_EXIT), 3);
        let (slot, turn) = publish(&mut tasks, 0);
        assert_eq!(tasks.lost(slot, turn, Loss::Started, NOW), Fate::Retried(0));
        tasks
    };
    let mut cancelled = resting();
    assert_eq!(cancelled.cancel(0), Cancel::Dropped);
    // A new task under the same number is not woken by the old one's rest.
    assert!(cancelled.submit(0, Plan::default()));
    assert_eq!(cancelled.deadline(), None);
    cancelled.tick(u64::MAX);
    assert_eq!((cancelled.open(), cancelled.waiting()), (1, 1));

    let mut ended = resting();
    assert_eq!(ended.end_retries(), [0]);
    assert_eq!((ended.open(), ended.deadline()), (0, None));
    assert!(ended.submit(1, plan(5, ON_ALL)));
    let (slot, turn) = publish(&mut ended, 1);
    assert_eq!(ended.lost(slot, turn, Loss::Started, NOW), rejected(1));

    let mut given = resting();
    assert_eq!(given.give_up().tasks, [(0, None)]);
    assert_eq!((given.open(), given.deadline()), (0, None));
}

#[test]
fn a_retry_overtakes_what_is_published_but_no_earlier_retry() {
    let mut tasks = Tasks::new(16, 100, 3);
    (0..2).for_each(|id| assert!(tasks.submit(id, plan(1, ON_EXIT))));
    (2..6).for_each(|id| assert!(tasks.submit(id, Plan::default())));
    let (first, second) = (publish(&mut tasks, 0), publish(&mut tasks, 1));
    while tasks.publish_next(9).is_some() {}
    for (at, (slot, turn)) in [(5, first), (600_000_000, second)] {
        tasks.lost(slot, turn, Loss::Started, Moment { now: at, jitter: 0 });
    }
    for (now, id, overtaken) in [(500_000_000, 0, 4), (u64::MAX, 1, 1)] {
        tasks.tick(now);
        let back = tasks.to_take_back(9);
        assert_eq!(back.len(), overtaken);
        back.into_iter().for_each(|(slot, turn)| assert!(tasks.taken_back(slot, turn).is_some()));
        assert_eq!(tasks.publish_next(9).map(|(id, ..)| id), Some(id));
        tasks.publish_next(9).unwrap();
        // As before, narrow while one rests.
        assert_eq!(tasks.publish_next(2).is_none(), id == 0);
    }
}

#[test]
fn those_due_together_go_in_the_order_in_which_they_are_due() {
    let mut tasks = Tasks::new(4, 100, 3);
    (0..2).for_each(|id| assert!(tasks.submit(id, plan(1, ON_EXIT))));
    assert!(tasks.submit(2, Plan::default()));
    let (first, second) = (publish(&mut tasks, 0), publish(&mut tasks, 1));
    for (at, (slot, turn)) in [(5, first), (6, second)] {
        let moment = Moment { now: at, jitter: 0 };
        assert!(matches!(tasks.lost(slot, turn, Loss::Started, moment), Fate::Retried(_)));
    }
    tasks.tick(u64::MAX);
    for id in [0, 1, 2] {
        publish(&mut tasks, id);
    }
}

#[test]
fn the_higher_priority_goes_first_and_within_one_the_first() {
    let mut tasks = Tasks::new(8, 100, 3);
    for (id, priority) in [(0, 0), (1, -5), (2, 7), (3, 0), (4, 7), (5, -5)] {
        assert!(tasks.submit(id, of_priority(priority)));
    }
    let order: Vec<u32> = std::iter::from_fn(|| tasks.publish_next(100).map(|(id, ..)| id)).collect();
    assert_eq!(order, [2, 4, 0, 3, 1, 5]);
}

#[test]
fn tasks_of_one_priority_are_published_as_far_as_slots_go_and_mixed_ones_to_the_window() {
    for same in [0, 7] {
        let mut tasks = Tasks::new(8, 100, 3);
        (0..6).for_each(|id| assert!(tasks.submit(id, of_priority(same))));
        let published = std::iter::from_fn(|| tasks.publish_next(2)).count();
        assert_eq!((published, tasks.to_take_back(2).len()), (6, 0));
    }
    let mut tasks = Tasks::new(8, 100, 3);
    (0..6).for_each(|id| assert!(tasks.submit(id, of_priority((id / 3) as i16))));
    assert_eq!(std::iter::from_fn(|| tasks.publish_next(2)).count(), 2);
}

#[test]
fn what_a_new_task_is_to_overtake_is_taken_back_and_goes_on_in_its_order() {
    let mut tasks = Tasks::new(16, 100, 3);
    (0..6).for_each(|id| assert!(tasks.submit(id, Plan::default())));
    let published: Vec<_> = std::iter::from_fn(|| tasks.publish_next(2)).collect();
    assert!(tasks.submit(6, of_priority(1)));
    let back = tasks.to_take_back(2);
    assert_eq!(back.len(), 6);
    // The first runs already: its worker was faster.
    for (slot, turn) in back.into_iter().filter(|(_, turn)| *turn != published[0].2) {
        assert!(tasks.taken_back(slot, turn).is_some());
    }
    assert_eq!((tasks.waiting(), tasks.publish_next(1)), (6, None));
    publish(&mut tasks, 6);
    assert_eq!(tasks.publish_next(2), None);
    // With the odd one gone the window is open again.
    let (slot, turn) = tasks.publication(6).unwrap();
    assert_eq!(tasks.ended(slot, turn), Some(6));
    let order: Vec<u32> = std::iter::from_fn(|| tasks.publish_next(2).map(|(id, ..)| id)).collect();
    assert_eq!(order, [1, 2, 3, 4, 5]);
}

#[test]
fn lower_priorities_take_back_only_the_surplus() {
    let mut tasks = Tasks::new(16, 100, 3);
    (0..6).for_each(|id| assert!(tasks.submit(id, Plan::default())));
    let published: Vec<_> = std::iter::from_fn(|| tasks.publish_next(2)).collect();
    assert!(tasks.submit(6, of_priority(-1)));
    let back: Vec<u64> = tasks.to_take_back(2).into_iter().map(|(_, turn)| turn).collect();
    let expected: Vec<u64> = published[2..].iter().rev().map(|(.., turn)| *turn).collect();
    assert_eq!(back, expected);
}
