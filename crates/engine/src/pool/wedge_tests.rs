use super::*;

const MS: u64 = 1_000_000;
const STEP: u64 = 100 * MS;

/// A worker that is looked at every 100 ms.
struct Scene {
    watch: Watch,
    limits: Limits,
    look: Look,
}

fn scene() -> Scene {
    let limits = Limits { stopped: Some(2000 * MS), stalled: Some(3000 * MS), deaf: Some(4000 * MS) };
    let look = Look {
        now: 0,
        process: Process::Runs,
        beat: Some(0),
        cpu: 0,
        runnable: false,
        group: None,
        task: 7,
        needed: false,
    };
    Scene { watch: Watch::default(), limits, look }
}

impl Scene {
    fn step(&mut self, change: impl FnOnce(&mut Look)) -> Seen {
        self.look.now += STEP;
        change(&mut self.look);
        self.watch.look(&self.look, &self.limits)
    }

    /// The first look at which it is to be killed, of so many; what for, and for how long it was so.
    fn killed_within(&mut self, looks: u32, mut change: impl FnMut(&mut Look)) -> Option<(Cause, u64)> {
        (0..looks).find_map(|_| self.step(&mut change).kill)
    }

    fn activity_after(&mut self, looks: u32, mut change: impl FnMut(&mut Look)) -> Activity {
        (0..looks).map(|_| self.step(&mut change).activity).last().unwrap()
    }
}

#[test]
fn one_that_computes_is_busy_and_never_killed() {
    let mut scene = scene();
    assert_eq!(scene.killed_within(200, |look| look.cpu += 1), None);
    assert_eq!(scene.activity_after(1, |look| look.cpu += 1), Activity::Busy);
}

#[test]
fn one_whose_loop_turns_waits_and_is_never_killed() {
    let mut scene = scene();
    let mut rings = 0;
    for _ in 0..200 {
        let seen = scene.step(|_| {});
        assert_eq!(seen.kill, None);
        if seen.ring {
            rings += 1;
            scene.look.beat = scene.look.beat.map(|beat| beat + 1);
        }
    }
    assert_eq!(scene.activity_after(1, |_| {}), Activity::Waiting);
    // 20 s with a limit of 3 s: asked each 0.75 s.
    assert!((20..40).contains(&rings), "{rings}");
}

#[test]
fn one_that_neither_computes_nor_turns_is_blocked_and_killed_at_the_limit() {
    let mut scene = scene();
    assert_eq!(scene.activity_after(10, |_| {}), Activity::Blocked);
    assert_eq!(scene.killed_within(100, |_| {}), Some((Cause::Stalled, 3000 * MS)));
}

#[test]
fn without_a_limit_blocked_is_only_told() {
    let mut scene = scene();
    scene.limits.stalled = None;
    assert_eq!(scene.killed_within(1000, |_| {}), None);
    assert_eq!(scene.activity_after(1, |_| {}), Activity::Blocked);
}

#[test]
fn cpu_time_now_and_then_is_progress() {
    let mut scene = scene();
    let progress = |look: &mut Look| look.cpu += u64::from(look.now.is_multiple_of(2500 * MS));
    assert_eq!(scene.killed_within(300, progress), None);
}

#[test]
fn one_that_waits_for_a_cpu_is_not_blocked() {
    let mut scene = scene();
    assert_eq!(scene.killed_within(300, |look| look.runnable = true), None);
    assert_eq!(scene.activity_after(1, |_| {}), Activity::Busy);
    assert_eq!(scene.killed_within(100, |look| look.runnable = false), Some((Cause::Stalled, 3000 * MS)));
}

#[test]
fn what_it_started_may_compute_for_it() {
    let mut scene = scene();
    let mut asked = 0;
    for _ in 0..300 {
        let now = scene.look.now + STEP;
        let group = scene.watch.wants_group(now, &scene.limits).then_some(now);
        asked += u32::from(group.is_some());
        assert_eq!(scene.step(|look| look.group = group).kill, None);
    }
    // 30 s, and the system's processes are not gone through at every look.
    assert!((10..70).contains(&asked), "{asked}");
    let still = |scene: &mut Scene| {
        let group = scene.watch.wants_group(scene.look.now + STEP, &scene.limits).then_some(1);
        scene.step(|look| look.group = group).kill
    };
    let kill = (0..60).find_map(|_| still(&mut scene));
    assert!(matches!(kill, Some((Cause::Stalled, _))), "{kill:?}");
}

#[test]
fn what_is_new_is_left_for_the_next_look() {
    let mut watch = Watch::default();
    assert!(!watch.knows(7, false));
    assert!(watch.knows(7, false));
    assert!(!watch.knows(8, false));
    assert!(!watch.knows(0, false));
    assert!(!watch.knows(8, false));
}

#[test]
fn a_new_task_begins_anew() {
    let mut scene = scene();
    scene.activity_after(29, |_| {});
    scene.look.task = 8;
    assert_eq!(scene.killed_within(29, |_| {}), None);
    assert_eq!(scene.killed_within(10, |_| {}), Some((Cause::Stalled, 3000 * MS)));
}

#[test]
fn stopped_is_told_at_once_and_killed_at_its_own_limit() {
    let mut scene = scene();
    scene.activity_after(5, |look| look.cpu += 1);
    assert_eq!(scene.activity_after(1, |look| look.process = Process::Stopped), Activity::Stopped);
    assert_eq!(scene.killed_within(100, |_| {}), Some((Cause::Stopped, 2000 * MS)));
}

#[test]
fn one_that_goes_on_before_the_limit_has_its_whole_time_again() {
    let mut scene = scene();
    scene.activity_after(19, |look| look.process = Process::Stopped);
    assert_eq!(scene.activity_after(1, |look| look.process = Process::Runs), Activity::Brief);
    assert_eq!(scene.killed_within(19, |look| look.process = Process::Stopped), None);
    scene.look.process = Process::Runs;
    assert_eq!(scene.killed_within(29, |_| {}), None);
}

#[test]
fn one_that_is_held_is_left_alone_for_ever() {
    let mut scene = scene();
    assert_eq!(scene.killed_within(1000, |look| look.process = Process::Held), None);
    // And is not reckoned with for that time afterwards.
    assert_eq!(scene.killed_within(29, |look| look.process = Process::Runs), None);
}

#[test]
fn one_without_a_task_is_looked_at_only_while_tasks_wait() {
    let mut scene = scene();
    scene.look.task = 0;
    assert_eq!(scene.killed_within(100, |look| look.process = Process::Stopped), None);
    scene.look.needed = true;
    assert_eq!(scene.killed_within(100, |_| {}), Some((Cause::Stopped, 2000 * MS)));
}

#[test]
fn one_that_does_not_hear_while_tasks_wait_is_deaf_whatever_it_computes() {
    let mut scene = scene();
    (scene.look.task, scene.look.needed) = (0, true);
    assert!(scene.step(|_| {}).ring);
    assert_eq!(scene.killed_within(100, |look| look.cpu += 1), Some((Cause::Deaf, 4000 * MS)));
}

#[test]
fn of_a_worker_whose_loop_does_not_tell_only_stopping_counts() {
    let mut scene = scene();
    scene.look.beat = None;
    assert_eq!(scene.killed_within(200, |_| {}), None);
    assert_eq!(scene.activity_after(1, |_| {}), Activity::Waiting);
    assert_eq!(scene.activity_after(1, |look| look.cpu += 1), Activity::Busy);
    assert_eq!(scene.killed_within(100, |look| look.process = Process::Stopped), Some((Cause::Stopped, 2000 * MS)));
}
