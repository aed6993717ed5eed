use super::ladder::{ACK_AT_MOST, ACK_WITHIN, TERM_GRACE};
use super::*;

const MS: u64 = 1_000_000;
/// It has computed since its cancel.
const BUSY: Event = Event::Examined { worker: 0, cpu: ACK_WITHIN, runnable: true };

fn farm(min: usize, max: usize) -> Workers {
    Workers::new(Limits {
        min,
        max,
        indices: 2 * max + 2,
        idle: Some(30 * MS),
        start: 100 * MS,
        grace: 10 * MS,
        attempts: 5,
        spares: 0,
        cpus: 2,
    })
}

fn after(workers: &mut Workers, event: Event, now: u64) -> Vec<Action> {
    let mut actions = Vec::new();
    workers.handle(event, now, &mut actions);
    actions
}

fn exited(workers: &mut Workers, worker: usize, open: usize, now: u64) -> Vec<Action> {
    workers.open_tasks(open);
    after(workers, Event::Exited(worker), now)
}

fn online(max: usize) -> Workers {
    let mut workers = farm(0, max);
    after(&mut workers, Event::Demand(max), 0);
    for index in 0..max {
        after(&mut workers, Event::Online(index), 0);
    }
    workers
}

#[test]
fn workers_start_on_demand_up_to_max() {
    let mut workers = farm(0, 2);
    assert_eq!(after(&mut workers, Event::Demand(1), 0), [Action::Spawn(0)]);
    assert_eq!(after(&mut workers, Event::Demand(5), 0), [Action::Spawn(1)]);
    assert_eq!(after(&mut workers, Event::Demand(9), 0), []);
}

#[test]
fn a_crashed_worker_is_replaced_under_another_index_until_the_old_one_is_drained() {
    let mut workers = online(1);
    assert_eq!(exited(&mut workers, 0, 9, 1), [Action::Spawn(1)]);
    assert_eq!(workers.phase(0), Phase::Gone);
    after(&mut workers, Event::Drained(0), 2);
    assert_eq!(workers.phase(0), Phase::Free);
}

#[test]
fn a_failed_start_is_not_repeated_by_itself() {
    let mut workers = farm(1, 2);
    assert_eq!(after(&mut workers, Event::Demand(0), 0), [Action::Spawn(0)]);
    after(&mut workers, Event::StartFailed(0), 1);
    let mut never = farm(0, 1);
    after(&mut never, Event::Demand(1), 0);
    after(&mut never, Event::StartFailed(0), 1);
    assert_eq!(exited(&mut never, 0, 9, 2), []);
    assert_eq!(after(&mut never, Event::Demand(1), 3), [Action::Spawn(1)]);
}

#[test]
fn workers_that_are_always_kept_are_tried_again_after_longer_and_longer_waits() {
    let mut workers = farm(1, 1);
    assert_eq!(after(&mut workers, Event::Demand(1), 0), [Action::Spawn(0)]);
    let mut now = 0;
    for wait in [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000] {
        let index = (0..4).find(|index| workers.phase(*index) == Phase::Starting).unwrap();
        after(&mut workers, Event::StartFailed(index), now);
        assert_eq!(exited(&mut workers, index, 9, now), []);
        assert_eq!(after(&mut workers, Event::Drained(index), now), []);
        assert_eq!(workers.deadline(), Some(now + wait * MS));
        assert_eq!(after(&mut workers, Event::Tick, now + wait * MS - 1), []);
        now += wait * MS;
        assert!(matches!(after(&mut workers, Event::Tick, now)[..], [Action::Spawn(_)]));
    }
}

#[test]
fn after_a_failed_start_the_others_are_waited_for_and_nobody_is_started_at_once() {
    let mut workers = farm(0, 2);
    after(&mut workers, Event::Demand(2), 0);
    after(&mut workers, Event::StartFailed(0), 1);
    assert_eq!(exited(&mut workers, 0, 9, 1), []);
    assert_eq!(after(&mut workers, Event::Demand(9), 900 * MS), []);
    assert_eq!(after(&mut workers, Event::Online(1), 900 * MS), [Action::Spawn(2)]);
    after(&mut workers, Event::StartFailed(2), 901 * MS);
    exited(&mut workers, 2, 9, 901 * MS);
    assert_eq!(after(&mut workers, Event::Demand(9), 902 * MS), []);
    assert!(matches!(after(&mut workers, Event::Tick, 1001 * MS)[..], [Action::Spawn(_)]));
}

#[test]
fn a_start_that_takes_too_long_is_killed() {
    let mut workers = farm(0, 1);
    after(&mut workers, Event::Demand(1), 0);
    assert_eq!(workers.deadline(), Some(100 * MS));
    assert_eq!(after(&mut workers, Event::Tick, 100 * MS), [Action::Kill(0, Cause::StartTimeout)]);
}

#[test]
fn synchronous_code_is_killed_when_it_cannot_acknowledge() {
    let mut workers = online(1);
    assert_eq!(
        after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0),
        [Action::Cancel { worker: 0, turn: 7 }]
    );
    assert_eq!(after(&mut workers, Event::Tick, ACK_WITHIN - 1), []);
    assert_eq!(after(&mut workers, Event::Tick, ACK_WITHIN), [Action::Examine(0)]);
    let actions = after(&mut workers, BUSY, ACK_WITHIN);
    assert_eq!(actions, [Action::Kill(0, Cause::Cancel), Action::Spawn(1)], "replaced before its exit");
}

#[test]
fn code_that_waits_for_a_cpu_gets_longer_to_acknowledge_but_not_for_ever() {
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0);
    let mut now = 0;
    loop {
        now += ACK_WITHIN;
        assert_eq!(workers.deadline(), Some(now));
        if now == ACK_AT_MOST {
            break;
        }
        assert_eq!(after(&mut workers, Event::Tick, now), [Action::Examine(0)]);
        assert_eq!(after(&mut workers, Event::Examined { worker: 0, cpu: MS, runnable: true }, now), []);
    }
    assert_eq!(after(&mut workers, Event::Tick, now)[0], Action::Kill(0, Cause::Cancel));
}

#[test]
fn code_that_waited_for_a_cpu_and_then_acknowledges_lives_on() {
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0);
    after(&mut workers, Event::Tick, ACK_WITHIN);
    after(&mut workers, Event::Examined { worker: 0, cpu: 0, runnable: true }, ACK_WITHIN);
    after(&mut workers, Event::Acknowledged { worker: 0, turn: 7 }, 12 * MS);
    after(&mut workers, Event::Examined { worker: 0, cpu: 0, runnable: false }, 12 * MS);
    after(&mut workers, Event::Released { worker: 0, turn: 7 }, 13 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 1000 * MS), []);
}

#[test]
fn code_that_sleeps_or_has_had_the_cpu_meanwhile_gets_no_longer() {
    for (cpu, runnable) in [(0, false), (5 * MS, true)] {
        let mut workers = online(1);
        after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Timeout }, 0);
        after(&mut workers, Event::Tick, ACK_WITHIN);
        let actions = after(&mut workers, Event::Examined { worker: 0, cpu, runnable }, ACK_WITHIN);
        assert_eq!(actions[0], Action::Kill(0, Cause::Timeout));
    }
}

#[test]
fn code_that_acknowledges_gets_grace_then_term_then_kill() {
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0);
    after(&mut workers, Event::Acknowledged { worker: 0, turn: 7 }, MS);
    assert_eq!(after(&mut workers, Event::Tick, 10 * MS), []);
    assert_eq!(after(&mut workers, Event::Tick, 11 * MS), [Action::Terminate(0, Cause::Cancel)]);
    workers.open_tasks(0);
    let actions = after(&mut workers, Event::Tick, 11 * MS + TERM_GRACE);
    assert_eq!(actions, [Action::Kill(0, Cause::Cancel)], "nobody waits for another");
}

#[test]
fn the_kill_is_for_what_revoked_the_first_task() {
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Timeout }, 0);
    after(&mut workers, Event::Revoked { worker: 0, turn: 8, cause: Cause::Cancel }, MS);
    after(&mut workers, Event::Tick, ACK_WITHIN);
    assert_eq!(after(&mut workers, BUSY, ACK_WITHIN)[0], Action::Kill(0, Cause::Timeout));
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Timeout }, 0);
    after(&mut workers, Event::Released { worker: 0, turn: 7 }, MS);
    after(&mut workers, Event::Revoked { worker: 0, turn: 8, cause: Cause::Cancel }, MS);
    after(&mut workers, Event::Acknowledged { worker: 0, turn: 8 }, 2 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 12 * MS), [Action::Terminate(0, Cause::Cancel)]);
}

#[test]
fn a_released_task_stops_the_ladder() {
    let mut workers = online(1);
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0);
    after(&mut workers, Event::Released { worker: 0, turn: 7 }, MS);
    assert_eq!(workers.deadline(), None);
    assert_eq!(after(&mut workers, Event::Tick, 10_000 * MS), []);
}

#[test]
fn a_worker_that_is_told_something_must_be_able_to_hear_it_until_its_end() {
    let mut workers = online(1);
    assert!(!workers.must_hear(0));
    after(&mut workers, Event::Revoked { worker: 0, turn: 7, cause: Cause::Cancel }, 0);
    assert!(workers.must_hear(0));
    after(&mut workers, Event::Acknowledged { worker: 0, turn: 7 }, MS);
    assert_eq!(after(&mut workers, Event::Tick, 11 * MS), [Action::Terminate(0, Cause::Cancel)]);
    assert!(workers.must_hear(0), "it has a second to end in order");
    after(&mut workers, Event::Tick, 11 * MS + TERM_GRACE);
    assert!(workers.must_hear(0));
    after(&mut workers, Event::Exited(0), 2000 * MS);
    assert!(!workers.must_hear(0));
}

#[test]
fn a_worker_from_before_a_reload_that_does_not_start_says_nothing_of_the_new_code() {
    let mut workers = farm(0, 2);
    after(&mut workers, Event::Demand(1), 0);
    after(&mut workers, Event::Reload, MS);
    assert_eq!(
        after(&mut workers, Event::Wedged { worker: 0, cause: Cause::Stopped }, 2 * MS),
        [Action::Kill(0, Cause::Stopped)]
    );
    assert_eq!(after(&mut workers, Event::StartKilled(0), 3 * MS), []);
    assert_eq!(after(&mut workers, Event::Exited(0), 3 * MS), [Action::Reloaded { done: true, count: 1 }]);
    after(&mut workers, Event::Drained(0), 3 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 200 * MS), [Action::Spawn(0)], "its tasks wait");
}

#[test]
fn idle_workers_leave_down_to_min() {
    let mut workers = Workers::new(Limits { min: 1, ..online(2).limits.clone() });
    after(&mut workers, Event::Demand(2), 0);
    after(&mut workers, Event::Online(0), 0);
    after(&mut workers, Event::Online(1), 0);
    assert_eq!(after(&mut workers, Event::Idle { worker: 0, since: 0 }, 29 * MS), []);
    assert_eq!(after(&mut workers, Event::Idle { worker: 0, since: 0 }, 30 * MS), [Action::Retire(0, Leave::Idle)]);
    assert_eq!(after(&mut workers, Event::Idle { worker: 1, since: 0 }, 90 * MS), []);
    assert_eq!(exited(&mut workers, 0, 9, 91 * MS), []);
    assert_eq!(after(&mut workers, Event::Drained(0), 92 * MS), []);
}

#[test]
fn close_lets_workers_finish_and_kills_at_its_deadline() {
    let mut workers = online(2);
    assert_eq!(
        after(&mut workers, Event::Close { by: 50 * MS }, 0),
        [Action::Retire(0, Leave::Close), Action::Retire(1, Leave::Close)]
    );
    assert_eq!(exited(&mut workers, 0, 9, 1), []);
    assert_eq!(after(&mut workers, Event::Tick, 50 * MS), [Action::Kill(1, Cause::Close)]);
    assert_eq!(exited(&mut workers, 1, 9, 51 * MS), [Action::Closed]);
    assert_eq!(after(&mut workers, Event::Demand(3), 52 * MS), []);
}

#[test]
fn an_empty_farm_closes_at_once() {
    assert_eq!(after(&mut farm(0, 1), Event::Destroy, 0), [Action::Closed]);
}

#[test]
fn a_worker_that_was_let_go_leaves_or_is_made_to_by_signals() {
    let mut workers = online(1);
    assert_eq!(after(&mut workers, Event::LetGo(0), 0), [], "only one that retires is let go");
    assert_eq!(after(&mut workers, Event::Close { by: u64::MAX }, 0), [Action::Retire(0, Leave::Close)]);
    after(&mut workers, Event::LetGo(0), 5 * MS);
    assert_eq!(workers.deadline(), Some(15 * MS));
    assert_eq!(after(&mut workers, Event::Tick, 15 * MS), [Action::Terminate(0, Cause::Close)]);
    assert_eq!(after(&mut workers, Event::Tick, 1014 * MS), []);
    assert!(matches!(after(&mut workers, Event::Tick, 1015 * MS)[..], [Action::Kill(0, _)]));
    assert_eq!(exited(&mut workers, 0, 9, 1016 * MS), [Action::Closed]);
}

#[test]
fn an_unreachable_worker_takes_no_tasks_and_is_given_a_second_to_end() {
    let mut workers = online(1);
    workers.open_tasks(0);
    assert_eq!(after(&mut workers, Event::Unreachable(0), 0), []);
    assert_eq!(workers.present(), 0);
    assert_eq!(after(&mut workers, Event::Demand(1), 1), [Action::Spawn(1)]);
    assert_eq!(after(&mut workers, Event::Tick, 99 * MS), []);
    after(&mut workers, Event::Online(1), 99 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 1000 * MS), [Action::Kill(0, Cause::Channel)]);
}

#[test]
fn what_only_seems_to_be_online_does_not_make_failures_forgotten() {
    let mut workers = farm(1, 1);
    let mut now = 0;
    let mut index = 0;
    after(&mut workers, Event::Demand(0), now);
    for wait in [100, 200, 400] {
        after(&mut workers, Event::Runs(index), now);
        assert_eq!(workers.phase(index), Phase::Online);
        after(&mut workers, Event::Fruitless(index), now);
        after(&mut workers, Event::Unreachable(index), now);
        assert_eq!(exited(&mut workers, index, 9, now), []);
        after(&mut workers, Event::Drained(index), now);
        assert_eq!(workers.deadline(), Some(now + wait * MS));
        now += wait * MS;
        assert_eq!(after(&mut workers, Event::Tick, now), [Action::Spawn(0)]);
        index = 0;
    }
}

#[test]
fn a_worker_over_its_limit_is_killed_and_replaced_at_once() {
    let mut workers = online(1);
    let actions = after(&mut workers, Event::Breached(0), 10 * MS);
    assert_eq!(actions, [Action::Kill(0, Cause::Limit), Action::Spawn(1)]);
    assert_eq!(exited(&mut workers, 0, 0, 11 * MS), []);
    // What is gone is nobody's.
    assert_eq!(after(&mut workers, Event::Breached(0), 12 * MS), []);
}

#[test]
fn a_start_that_goes_over_a_limit_is_not_repeated_before_its_end() {
    let mut workers = farm(0, 1);
    after(&mut workers, Event::Demand(1), 0);
    assert_eq!(after(&mut workers, Event::Breached(0), MS), [Action::Kill(0, Cause::Limit)]);
}

#[test]
fn after_several_failed_starts_in_a_row_nothing_is_started_until_the_wait_is_over_and_then_one() {
    let mut workers = farm(0, 3);
    for time in 1..=5 {
        let now = time * MS;
        // Each call tries at once.
        let started = after(&mut workers, Event::Demand(1), now);
        let [Action::Spawn(index)] = started[..] else { panic!("{started:?}") };
        assert_eq!(workers.turns_away_for(now), None);
        after(&mut workers, Event::StartFailed(index), now);
        exited(&mut workers, index, 1, now);
        after(&mut workers, Event::Drained(index), now);
    }
    assert_eq!(workers.turns_away_for(5 * MS), Some(1600 * MS));
    assert_eq!(after(&mut workers, Event::Demand(3), 6 * MS), [], "the breaker is open");
    assert_eq!(workers.deadline(), Some(1605 * MS));
    assert_eq!(after(&mut workers, Event::Tick, 1605 * MS), [Action::Spawn(0)], "half open: one is tried");
    assert_eq!(after(&mut workers, Event::Demand(4), 1606 * MS), []);
    after(&mut workers, Event::StartFailed(0), 1700 * MS);
    assert_eq!(workers.turns_away_for(1700 * MS), Some(3200 * MS));
    exited(&mut workers, 0, 0, 1700 * MS);
    after(&mut workers, Event::Drained(0), 1700 * MS);
    assert_eq!(after(&mut workers, Event::Tick, 4900 * MS), [], "nobody asks");
    assert_eq!(after(&mut workers, Event::Demand(3), 4901 * MS), [Action::Spawn(0)]);
    assert_eq!(after(&mut workers, Event::Online(0), 4902 * MS), [Action::Spawn(1), Action::Spawn(2)]);
    assert_eq!(workers.turns_away_for(4902 * MS), None);
}

#[test]
fn starts_that_fail_together_are_one_failure() {
    let mut workers = farm(0, 6);
    after(&mut workers, Event::Demand(6), 0);
    for index in 0..6 {
        after(&mut workers, Event::StartFailed(index), MS);
    }
    assert_eq!(workers.turns_away_for(MS), None);
}

#[test]
fn while_another_worker_is_there_nobody_is_turned_away() {
    let mut workers = online(1);
    workers.handle(Event::Demand(1), 0, &mut Vec::new());
    let mut workers = Workers::new(Limits { max: 2, ..workers.limits.clone() });
    after(&mut workers, Event::Demand(2), 0);
    after(&mut workers, Event::Online(0), 0);
    let mut now = MS;
    let mut index = 1;
    for _ in 0..7 {
        after(&mut workers, Event::StartFailed(index), now);
        exited(&mut workers, index, 5, now);
        after(&mut workers, Event::Drained(index), now);
        assert_eq!(workers.turns_away_for(now), None);
        now = workers.deadline().unwrap();
        let started = after(&mut workers, Event::Tick, now);
        let [Action::Spawn(next)] = started[..] else { panic!("{started:?}") };
        index = next;
    }
}

#[test]
fn workers_that_die_early_are_replaced_after_longer_and_longer_waits() {
    let mut workers = farm(1, 1);
    after(&mut workers, Event::Demand(1), 0);
    let mut now = 0;
    for wait in [100, 200, 400, 800] {
        after(&mut workers, Event::Online(0), now);
        now += 20 * MS;
        after(&mut workers, Event::Fruitless(0), now);
        assert_eq!(exited(&mut workers, 0, 0, now), []);
        after(&mut workers, Event::Drained(0), now);
        assert_eq!(workers.deadline(), Some(now + wait * MS));
        now += wait * MS;
        assert_eq!(after(&mut workers, Event::Tick, now), [Action::Spawn(0)]);
    }
    after(&mut workers, Event::Online(0), now);
    now += 1000 * MS;
    after(&mut workers, Event::Fruitless(0), now);
    assert_eq!(exited(&mut workers, 0, 0, now), [Action::Spawn(1)], "it has lived");
}

#[test]
fn nobody_is_started_for_tasks_that_are_over() {
    let mut workers = online(2);
    assert_eq!(exited(&mut workers, 0, 0, 1), []);
    assert_eq!(exited(&mut workers, 1, 1, 2), [Action::Spawn(2)]);
}

#[test]
fn a_worker_that_somebody_kills_in_its_start_is_started_anew_until_the_breaker_opens() {
    let mut workers = farm(0, 1);
    after(&mut workers, Event::Demand(1), 0);
    let mut now = 0;
    for wait in [100, 200, 400, 800] {
        let index = (0..4).find(|index| workers.phase(*index) == Phase::Starting).unwrap();
        after(&mut workers, Event::StartKilled(index), now);
        exited(&mut workers, index, 1, now);
        after(&mut workers, Event::Drained(index), now);
        assert_eq!(workers.turns_away_for(now), None);
        now += wait * MS;
        assert!(matches!(after(&mut workers, Event::Tick, now)[..], [Action::Spawn(_)]), "nobody has to ask again");
    }
    let index = (0..4).find(|index| workers.phase(*index) == Phase::Starting).unwrap();
    after(&mut workers, Event::StartKilled(index), now);
    exited(&mut workers, index, 1, now);
    assert!(workers.turns_away_for(now).is_some());
    assert_eq!(after(&mut workers, Event::Tick, now + 60_000 * MS), []);
}
