'use strict';

/**
 * The worker's loop: claims a task, runs it, answers, until nothing is left; then the doorbell wakes it. Synchronous
 * functions are answered at once; a promise is answered when it settles. After a millisecond the event loop gets its
 * turn, so that timers and sockets of the user's module live.
 */

const { encode, decode, encodeError, makeCodec, rehearse } = require('../codec');
const { SCRATCH } = require('../codec/plain-write');
const context = require('./context');
const { entered, leaveEntered, mayEnter, watchEntering } = require('./entered');
const { call, isThenable, methodOf } = require('./module');

/** What the native side answers below the lanes; src/worker.rs. */
const RETIRE = -3;
const CANCEL = -4;
const YIELD = -5;
const FULL = -6;
const NO_MEMORY = -7;

/** Tags of the reply ring; transport/frame.rs. */
const RESULT = 1;
const ERROR = 2;
const PROGRESS = 3;
/** An error of farm's own, to which another try would come as well. */
const FINAL_ERROR = 9;

const COPIES = 1;
const LARGE = 2;
const TABLE_ROW = 16;
const INPUT_BYTES = 256 * 1024;

/** As they are before the user's module is loaded, which may put others in their places: fake timers, a patched Promise. */
const { Promise, setImmediate } = globalThis;
const { then } = Promise.prototype;

/** @typedef {{ lane: number, method: string, attempt: number, controller: null, over: boolean, told: boolean, reason: unknown }} Task */

/** @type {any} */
let native;
/** Ends a task with the answer in `head` and SCRATCH; then what to do next. @type {() => number} */
let finishAndNext;
/** @type {import('./module').WorkerModule} */
let loaded;
/** The method of the last task and its function: mostly those of the next one too. @type {string | undefined} */
let lastMethod;
/** @type {Function} */
let lastCalled;
let encodeValue = encode;
let decodeValue = decode;

const input = Buffer.allocUnsafeSlow(INPUT_BYTES);
/** Of a claimed task: lane, length, kind, attachments, flags, attempt; then of an answer: lane, tag, kind, length. */
const head = new Uint32Array(10);

/** @type {(Task | undefined)[]} */
const running = [];
let retiring = false;
/** Made, and its file loaded, by the first reply that finds no room. @type {InstanceType<typeof import('./held').HeldReplies> | null} */
let held = null;

/**
 * @param {any} addon
 * @param {import('./module').WorkerModule} module
 * @param {{ codec?: any }} settings
 */
function start(addon, module, settings) {
  native = addon;
  loaded = module;
  const codec = makeCodec(settings.codec);
  encodeValue = codec.encode;
  decodeValue = codec.decode;
  finishAndNext = native.workerStart(input, SCRATCH, Buffer.from(head.buffer), turn);
  if (mayEnter()) watchEntering();
  turn();
  // No task was there yet: a spare, or a worker that was started ahead.
  if (native.workerRunning() === 0 && encodeValue === encode) rehearse();
}

function heldReplies() {
  held ??= new (require('./held').HeldReplies)(native);
  return held;
}

/** A turn of the event loop: from now on tasks may take their millisecond. */
function turn() {
  if (held !== null && held.length > 0 && !held.send()) return;
  pump(native.workerTurn());
}

/** @param {number} code what the native side answered */
function pump(code) {
  for (;;) {
    if (code >= 0) {
      code = run(code);
    } else if (code === CANCEL) {
      cancel(head[0], head[1] !== 0, head[2]);
      code = native.workerNext();
    } else if (code === RETIRE) {
      retiring = true;
      code = native.workerNext();
    } else {
      // Asleep or busy: the doorbell or a reaction comes back here.
      if (code === YIELD) setImmediate(turn);
      else watchEntering();
      if (retiring && (held === null || held.length === 0) && native.workerRunning() === 0) leave();
      return;
    }
  }
}

/**
 * @param {number} lane
 * @returns {number} what to do next
 */
function run(lane) {
  const attempt = head[5];
  /** @type {Task} */
  const task = { lane, method: '', attempt, controller: null, over: false, told: false, reason: undefined };
  let called;
  let result;
  let pending = false;
  try {
    const args = /** @type {any[]} */ (take());
    const method = args[0];
    task.method = method;
    called = method === lastMethod ? lastCalled : functionOf(method);
    running[lane] = task;
    context.begin(task, called);
    entered.watching = true;
    result = call(called, args);
    leaveEntered();
    // To look for a then runs code of the user's where it is a getter, or the result a Proxy.
    pending = isThenable(result);
    if (pending) answerLater(result, task);
  } catch (error) {
    leaveEntered();
    context.end(task);
    // Before there was anything to call nothing of the user's ran.
    return fail(lane, error, called === undefined ? FINAL_ERROR : ERROR);
  }
  if (pending) {
    context.leave(called);
    return native.workerNext();
  }
  context.end(task, called);
  return succeed(lane, result);
}

/**
 * As `await` does it: a promise of Node's own is waited for by its own then, and one that throws or calls both is its business.
 * @param {any} promise
 * @param {Task} task
 */
function answerLater(promise, task) {
  then.call(
    Promise.resolve(promise),
    (value) => {
      context.end(task);
      pump(succeed(task.lane, value));
    },
    (error) => {
      context.end(task);
      pump(fail(task.lane, error));
    },
  );
}

/** @param {string} method */
function functionOf(method) {
  lastCalled = methodOf(loaded, method);
  lastMethod = method;
  return lastCalled;
}

/** The claimed task as `[method, ...args]`. */
function take() {
  const attachments = head[3];
  const bytes = (head[4] & LARGE) !== 0 ? native.workerLarge() : input;
  if (attachments === 0) return decodeValue(head[2], bytes, 0, head[1], null);
  const views = native.workerAttachments(bytes.subarray(0, attachments * TABLE_ROW), attachments, (head[4] & COPIES) !== 0);
  return decodeValue(head[2], bytes, attachments * TABLE_ROW, head[1], views);
}

/**
 * @param {number} lane
 * @param {unknown} value
 */
function succeed(lane, value) {
  let encoded;
  try {
    encoded = encodeValue(value, 'result');
  } catch (error) {
    return fail(lane, error, FINAL_ERROR);
  }
  return answer(lane, RESULT, encoded);
}

/**
 * @param {number} lane
 * @param {unknown} error
 * @param {number} [tag]
 */
function fail(lane, error, tag = ERROR) {
  return answer(lane, tag, encodeError(error));
}

/**
 * @param {number} lane
 * @param {number} tag
 * @param {import('../codec').Encoded} encoded
 * @returns {number} what to do next
 */
function answer(lane, tag, encoded) {
  running[lane] = undefined;
  const { kind, bytes, start: from, end, attachments } = encoded;
  let code;
  if (held !== null && held.length > 0) code = FULL;
  else if (attachments === null && from === 0 && (bytes === SCRATCH || end === 0)) {
    head[6] = lane;
    head[7] = tag;
    head[8] = kind;
    head[9] = end;
    code = finishAndNext();
  } else {
    code = native.workerSend(lane, tag, kind, bytes.subarray(from, end), attachments ?? []);
    if (code === 0) code = native.workerNext();
  }
  if (code === FULL) {
    heldReplies().keep(lane, tag, encoded);
    return FULL;
  }
  if (code === NO_MEMORY) return fail(lane, require('./held').tooLarge(end - from, attachments), FINAL_ERROR);
  return code;
}

/**
 * @param {number} lane
 * @param {boolean} timedOut
 * @param {number} size of the caller's reason
 */
function cancel(lane, timedOut, size) {
  const task = running[lane];
  native.workerAcknowledge(lane);
  if (task === undefined) return;
  const { decodeReason, timeoutReason } = require('../cancel-reason');
  if (timedOut) context.cancel(task, timeoutReason());
  else context.cancel(task, size === 0 ? undefined : decodeReason(native.workerLarge()));
}

/** The parent wants this worker to go, and nothing runs any more. */
async function leave() {
  retiring = false;
  try {
    if (loaded.teardown) await loaded.teardown(context.face);
  } catch (error) {
    process.exitCode = 1;
    process.emitWarning(/** @type {any} */ (error));
  }
  await require('./output').written();
  native.workerBye();
  // Not by a signal: exit handlers run, coverage and compile cache are written.
  process.exit();
}

const SENT = Promise.resolve();

/** What a running task may ask for; see context.js. */
const hooks = {
  /**
   * @param {any} task
   * @param {unknown} value
   * @returns {Promise<void>} resolves when the value is on its way
   */
  emit(task, value) {
    const encoded = encodeValue(value, 'progress');
    if (held === null || held.length === 0) {
      const { kind, bytes, start: from, end, attachments } = encoded;
      const code = native.workerSend(task.lane, PROGRESS, kind, bytes.subarray(from, end), attachments ?? []);
      if (code === NO_MEMORY) throw require('./held').tooLarge(end - from, attachments);
      if (code !== FULL) return SENT;
    }
    return heldReplies().keepProgress(task.lane, encoded);
  },
  /** @param {any} task */
  isCancelled(task) {
    return native.workerIsRevoked(task.lane) !== 0;
  },
  /** @param {any} task that is cancelled, and its loop has not heard of it */
  reasonOf(task) {
    return native.workerIsRevoked(task.lane) === 2 ? require('../cancel-reason').timeoutReason() : undefined;
  },
};

module.exports = { start, hooks };
