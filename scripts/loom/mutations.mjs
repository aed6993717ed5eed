// Faults put into the lock-free code, one at a time, and the model that must fail with each. `edits`: pairs of a text that
// occurs once (or first) in the file and what takes its place.
const queue = 'crates/transport/src/queue.rs'
const ring = 'crates/transport/src/ring.rs'
const laps = 'queue::two_laps_with_a_withdrawn_task_and_a_slot_that_stays_claimed'
const late = 'queue::a_late_consumer_never_takes_the_next_task_of_a_slot'
const help = 'queue::the_parent_helps_the_head_over_withdrawn_entries'
const sleeps = 'wake::a_worker_that_goes_to_sleep_takes_the_task_or_is_rung'
const sleepTwo = 'wake::two_workers_that_go_to_sleep_leave_no_task'
const twoRingers = 'wake::two_ringers_ring_two_sleepers'
const deadTarget = 'wake::a_ring_that_went_to_a_dead_worker_is_made_good_after_the_reap'
const parent = 'wake::a_parent_that_goes_to_sleep_sees_the_reply_or_is_rung'
const room = 'wake::a_worker_that_waits_for_room_finds_it_or_is_rung'
const spinner = 'wake::a_worker_that_stops_spinning_forgets_no_task_left_to_it'
const withdrawn = 'wake::a_withdrawn_task_hides_no_other_from_a_worker_that_spun'
const neighbour = 'wake::a_worker_that_leaves_a_task_to_its_neighbour_hears_of_the_next_one'
const done = 'settle::done_against_revoked'
const frames = 'ring::frames_arrive_whole_and_in_order_round_the_end'

/** A fault inside one function: the edit applies from its head on. */
const inside = (head, from, to) => ({ head, from, to })

/** @type {{ what: string, file: string, edits: { head: string, from: string, to: string }[], fails: string }[]} */
export const mutations = [
  { what: 'the entry is published without Release', file: queue, fails: laps, edits: [inside('pub fn publish(', 'Entry::new(turn, slot).0, Release', 'Entry::new(turn, slot).0, Relaxed')] },
  { what: 'the entry is published before the state', file: queue, fails: laps, edits: [inside('pub fn publish(', 'self.state_word(slot)', 'self.entry(turn).store(Entry::new(turn, slot).0, Release);\n        self.state_word(slot)')] },
  { what: 'state and entry are published without Release', file: queue, fails: late, edits: [inside('pub fn publish(', 'Kind::Ready).0, Release', 'Kind::Ready).0, Relaxed'), inside('pub fn publish(', 'slot).0, Release', 'slot).0, Relaxed')] },
  { what: 'the entry is looked at without Acquire', file: queue, fails: laps, edits: [inside('fn look(', 'load(Acquire)', 'load(Relaxed)')] },
  { what: 'a state is read without Acquire', file: queue, fails: late, edits: [inside('pub fn state(', 'load(Acquire)', 'load(Relaxed)')] },
  { what: 'a state is swapped without Release', file: queue, fails: late, edits: [inside('fn swap(', 'AcqRel, Acquire', 'Acquire, Acquire')] },
  { what: 'a claim is a plain store', file: queue, fails: laps, edits: [inside('pub fn claim(', 'let won = self.swap(slot, ready, State::new(turn, worker, Kind::Claimed));', 'let won = self.state(slot) == ready;\n                    self.state_word(slot).store(State::new(turn, worker, Kind::Claimed).0, Release);')] },
  { what: 'the turn is left out of the comparison', file: queue, fails: late, edits: [inside('fn look(', 'self.state(slot) == State::new(turn, 0, Kind::Ready)', 'self.state(slot).kind() == Kind::Ready'), inside('pub fn claim(', 'let ready = State::new(turn, 0, Kind::Ready);', 'let ready = State::new(self.state(slot).turn(), 0, Kind::Ready);')] },
  { what: 'the head is stored, not swapped', file: queue, fails: laps, edits: [inside('fn pass(', 'self.head().compare_exchange(turn, turn + 1, AcqRel, Relaxed)', 'self.head().store(turn + 1, Release)')] },
  { what: 'a withdrawal is a plain store', file: queue, fails: laps, edits: [inside('pub fn withdraw(', 'self.swap(slot, State::new(turn, 0, Kind::Ready), State::new(turn, 0, Kind::Withdrawn))', '{ self.state_word(slot).store(State::new(turn, 0, Kind::Withdrawn).0, Release); true }')] },
  { what: 'an entry is written over one turn too early', file: queue, fails: laps, edits: [inside('pub fn has_room(', 'head.wrapping_add(lap) > turn', 'head.wrapping_add(lap) >= turn')] },
  { what: 'the parent does not help the head', file: queue, fails: help, edits: [inside('pub fn has_room(', 'Look::Pass => self.pass(head)', 'Look::Pass => return false')] },
  { what: 'the publisher looks for sleepers without a fence', file: queue, fails: sleeps, edits: [inside('pub fn wake(', 'fence(SeqCst);', '')] },
  { what: 'a worker goes to sleep without a fence', file: queue, fails: sleeps, edits: [inside('pub fn sleeps(', 'fence(SeqCst);', '')] },
  { what: 'a sleeper sets its bit by a store', file: queue, fails: sleepTwo, edits: [inside('pub fn sleeps(', 'word.fetch_or(bit, AcqRel)', 'word.store(word.load(Relaxed) | bit, Release)')] },
  { what: 'a sleeper whose bit is gone already is rung and counted', file: queue, fails: twoRingers, edits: [inside('pub fn wake(', 'if word.fetch_and(!bit, AcqRel) & bit != 0 {', 'word.fetch_and(!bit, AcqRel);\n                {')] },
  { what: 'a dead worker still counts as a sleeper', file: queue, fails: deadTarget, edits: [inside('pub fn forget(', 'word.fetch_and(!bit, AcqRel);', 'let _ = (word, bit);')] },
  { what: 'the parent goes to sleep without a fence', file: queue, fails: parent, edits: [inside('pub fn parent_sleeps(', 'fence(SeqCst);', '')] },
  { what: 'a worker looks whether the parent sleeps without a fence', file: queue, fails: parent, edits: [inside('pub fn must_ring_parent(', 'fence(SeqCst);', '')] },
  { what: 'a worker stops spinning without a fence', file: queue, fails: spinner, edits: [inside('pub fn stop_spinning(', 'fence(SeqCst);', '')] },
  { what: 'the publisher looks for a spinner without a fence', file: queue, fails: spinner, edits: [inside('pub fn wake_beside_spinner(', 'fence(SeqCst);', '')] },
  { what: 'who claims does not pass on what more is ready', file: queue, fails: spinner, edits: [inside('pub fn pass_on(', '&& self.has_ready()', '&& false')] },
  { what: 'only the next entry is looked at before passing on', file: queue, fails: withdrawn, edits: [inside('pub fn pass_on(', 'self.has_ready()', 'matches!(self.look(self.head_turn()), Look::Ready(_))')] },
  { what: 'who leaves a task to its neighbour does not look again', file: queue, fails: neighbour, edits: [inside('pub fn leave_to_neighbour(', 'self.ready_after(turn)', 'false')] },
  { what: 'a task is ended by a store', file: queue, fails: done, edits: [inside('pub fn finish(', 'self.swap(slot, State::new(turn, worker, Kind::Claimed), State::new(turn, worker, Kind::Done))', '{ self.state_word(slot).store(State::new(turn, worker, Kind::Done).0, Release); true }')] },
  { what: 'a task is revoked by a store', file: queue, fails: done, edits: [inside('pub fn revoke(', 'self.swap(slot, State::new(turn, worker, Kind::Claimed), State::new(turn, worker, Kind::Revoked))', '{ self.state_word(slot).store(State::new(turn, worker, Kind::Revoked).0, Release); true }')] },
  { what: 'a frame is published without Release', file: ring, fails: frames, edits: [inside('pub fn push_headed', 'store(self.head, Release)', 'store(self.head, Relaxed)')] },
  { what: 'a frame is taken without Release', file: ring, fails: frames, edits: [inside('pub fn publish_position(', 'store(self.tail, Release)', 'store(self.tail, Relaxed)')] },
  { what: 'a frame is looked at without Acquire', file: ring, fails: frames, edits: [inside('pub fn peek(', 'load(Acquire)', 'load(Relaxed)')] },
  { what: 'room is looked for without Acquire', file: ring, fails: frames, edits: [inside('pub fn has_room(', 'load(Acquire)', 'load(Relaxed)')] },
  { what: 'a frame is announced before its bytes', file: ring, fails: frames, edits: [inside('pub fn push_headed', 'let mut header', 'self.ring.head().store(self.head + padded(len), Release);\n        let mut header')] },
  { what: 'room is asked for without a fence', file: ring, fails: room, edits: [inside('pub fn ask_for_room(', 'fence(SeqCst);', '')] }
]
