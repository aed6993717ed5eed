'use strict';

/**
 * The context of the task that runs now. lib/worker/loop.js reports the life of each task here; user code reads it
 * through `require('farm/worker')`.
 *
 * With one task at a time a plain variable is enough: it is still right after every `await` of that task, and it costs
 * nothing. Only when a worker may run several tasks at once is an AsyncLocalStorage made, since that one slows down
 * every promise of the process.
 *
 * The order of calls is: `configure` once before the user's module is loaded, then per task `begin`, the user's
 * function, `end`; `cancel` between the last two when the parent asks for it.
 */

const { AsyncLocalStorage } = require('node:async_hooks');
const { FarmError } = require('../errors');

/**
 * @typedef {object} RunningTask What the loop hands to `begin`; other fields are the loop's own.
 * @property {string} method name of the called method, '' for the module's single function
 * @property {number} [attempt] 1 for the first run
 * @property {AbortController | null} [controller] made here when the task first asks for its signal
 * @property {boolean} [over] set here: what the task has left behind, such as a timer, no longer belongs to it
 *
 * @typedef {object} Hooks
 * @property {(task: RunningTask, value: unknown) => void} emit sends a progress value to the caller
 * @property {(task: RunningTask) => boolean} isCancelled reads the cancel word; must also work inside synchronous code
 */

/**
 * The user's project may resolve another copy of this package than the one that runs the worker; both find the
 * running one under this key.
 */
const FACE = Symbol.for('farm.worker.context');

/** @type {RunningTask | undefined} */
let only;
/** @type {AsyncLocalStorage<RunningTask | undefined> | null} */
let stores = null;
/** @type {Hooks | null} */
let hooks = null;
/** @type {{ workerId: number, workerData: unknown }} */
let worker = { workerId: 0, workerData: undefined };

/**
 * @param {{ workerId: number, workerData?: unknown, tasksPerWorker?: number, hooks: Hooks }} settings
 */
function configure(settings) {
  worker = { workerId: settings.workerId, workerData: settings.workerData };
  hooks = settings.hooks;
  stores = (settings.tasksPerWorker ?? 1) > 1 ? new AsyncLocalStorage() : null;
  only = undefined;
  Object.defineProperty(globalThis, FACE, { value: face, configurable: true, enumerable: false, writable: true });
}

/**
 * Call directly before the user's function, in the same synchronous run: what that function starts inherits the task.
 * @param {RunningTask} task
 */
function begin(task) {
  task.over = false;
  if (stores === null) only = task;
  else stores.enterWith(task);
}

/**
 * Call when the function has returned a plain value or its promise has settled. With several tasks at once also call
 * `leave` after a function returned a promise, so that the loop's own code belongs to no task.
 * @param {RunningTask} task
 */
function end(task) {
  task.over = true;
  task.controller = null;
  if (stores === null) {
    if (only === task) only = undefined;
  } else if (stores.getStore() === task) stores.enterWith(undefined);
}

/** The function of the last begun task has returned a promise; what the loop does next is not part of it. */
function leave() {
  if (stores !== null) stores.enterWith(undefined);
}

/** @returns {RunningTask | undefined} the task whose code runs now */
function current() {
  const task = stores === null ? only : stores.getStore();
  return task?.over === false ? task : undefined;
}

/**
 * The parent wants this task to stop: fires its signal if the task has asked for one.
 * @param {RunningTask} task
 * @param {unknown} [reason] what `signal.reason` shall be; an AbortError by default
 */
function cancel(task, reason) {
  task.controller?.abort(reason);
}

/**
 * @param {string} what
 * @returns {RunningTask}
 */
function currentOrThrow(what) {
  const task = current();
  if (task !== undefined) return task;
  throw new FarmError(
    'ERR_FARM_UNSUPPORTED',
    `${what} belongs to a running task, and none runs here: read it inside the called function, before it returns or its promise settles`,
  );
}

/** What `require('farm/worker')` reads. */
const face = {
  /** @returns {AbortSignal} */
  get signal() {
    const task = currentOrThrow('signal');
    if (!task.controller) {
      task.controller = new AbortController();
      if (hooks?.isCancelled(task)) task.controller.abort();
    }
    return task.controller.signal;
  },
  /** @returns {boolean} */
  get cancelled() {
    const task = currentOrThrow('cancelled');
    return task.controller?.signal.aborted === true || hooks?.isCancelled(task) === true;
  },
  /** @param {unknown} value */
  emit(value) {
    const task = currentOrThrow('emit()');
    hooks?.emit(task, value);
  },
  get attempt() {
    return currentOrThrow('attempt').attempt ?? 1;
  },
  get method() {
    return currentOrThrow('method').method;
  },
  get workerId() {
    return worker.workerId;
  },
  get workerData() {
    return worker.workerData;
  },
};

module.exports = { configure, begin, end, leave, current, cancel, face, FACE };
