'use strict';

/**
 * The context of the task that runs now. lib/worker/loop.js reports the life of each task here; user code reads it
 * through `require('farm/worker')`.
 *
 * With one task at a time a plain variable does: it is still right after every `await` of that task, and it costs
 * nothing. It is wrong for what an ended task has left behind, a timer perhaps, that asks while the next task waits. An
 * AsyncLocalStorage tells the two apart. It is made when a worker may run several tasks at once, and also, from Node 24
 * on, as soon as the module shows that it reads the context; before, it slows down every promise of the process.
 *
 * To enter a store costs a third of a trivial task. Functions that were seen to return at once share one: between the
 * call and the return of such a function nothing else runs, and what uses the store later was left behind.
 *
 * The order of calls is: `configure` once before the user's module is loaded, then per task `begin`, the user's
 * function, `end`; `cancel` between the last two when the parent asks for it.
 */

/**
 * @typedef {object} RunningTask What the loop hands to `begin`; other fields are the loop's own.
 * @property {string} method name of the called method, '' for the module's single function
 * @property {number} [attempt] 1 for the first run
 * @property {AbortController | null} [controller] made here when the task first asks for its signal
 * @property {boolean} [told] set here: it was cancelled, and heard of it
 * @property {unknown} [reason] set here: why
 * @property {boolean} [over] set here: what the task has left behind, such as a timer, no longer belongs to it
 *
 * @typedef {object} Hooks
 * @property {(task: RunningTask, value: unknown) => Promise<void>} emit sends a progress value to the caller
 * @property {(task: RunningTask) => unknown} [reasonOf] why, before the loop has heard of it; undefined for an AbortError
 * @property {(task: RunningTask) => boolean} isCancelled reads the cancel word; must also work inside synchronous code
 */

/**
 * The user's project may resolve another copy of this package than the one that runs the worker; both find the
 * running one under this key.
 */
const FACE = Symbol.for('farm.worker.context');

/** Where promises carry their context along anyway. */
const CHEAP = Number(process.versions.node.split('.', 1)[0]) >= 24;

/** False when several tasks may run at once. */
let single = true;
/** The running task, where there is one at a time. @type {RunningTask | undefined} */
let only;
/** @typedef {{ task: RunningTask | undefined }} Store */
/** @type {import('node:async_hooks').AsyncLocalStorage<Store | undefined> | null} */
let stores = null;
/** The store of functions that return at once. @type {Store} */
let shared = { task: undefined };
/** Functions seen so far: whether every task of theirs had ended when they returned. @type {WeakMap<Function, boolean>} */
const endsAtReturn = new WeakMap();
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
  stores = null;
  only = undefined;
  single = (settings.tasksPerWorker ?? 1) === 1;
  if (!single) storeContexts();
  Object.defineProperty(globalThis, FACE, { value: face, configurable: true, enumerable: false, writable: true });
}

function storeContexts() {
  const { AsyncLocalStorage } = require('node:async_hooks');
  stores = new AsyncLocalStorage();
}

/** The module reads the context, or is about to. */
function isRead() {
  if (CHEAP && stores === null) storeContexts();
}

/**
 * Call directly before the user's function, in the same synchronous run: what that function starts inherits the task.
 * @param {RunningTask} task
 * @param {Function} called
 */
function begin(task, called) {
  task.over = false;
  if (single) only = task;
  if (stores === null) return;
  if (endsAtReturn.get(called) !== true) return stores.enterWith({ task });
  shared.task = task;
  if (stores.getStore() !== shared) stores.enterWith(shared);
}

/**
 * Call when the function has returned a plain value or its promise has settled. Also call `leave` after a function
 * returned a promise, so that the loop's own code belongs to no task.
 * @param {RunningTask} task
 * @param {Function} [returned] the function, if the task ended with its return
 */
function end(task, returned) {
  // A store that still names it says no more than that.
  task.over = true;
  task.controller = null;
  if (only === task) only = undefined;
  if (stores !== null && returned !== undefined && !endsAtReturn.has(returned)) endsAtReturn.set(returned, true);
}

/**
 * The function of the last begun task has returned a promise; what the loop does next is not part of it.
 * @param {Function} called
 */
function leave(called) {
  if (stores === null) return;
  endsAtReturn.set(called, false);
  if (stores.getStore() === shared) shared = { task: undefined };
  stores.enterWith(undefined);
}

/** @returns {RunningTask | undefined} the task whose code runs now */
function current() {
  // What the module started before any task, such as a connection, serves the one that runs.
  const store = stores?.getStore();
  const task = store === undefined ? only : store.task;
  return task?.over === false ? task : undefined;
}

/**
 * The parent wants this task to stop: fires its signal if the task has asked for one.
 * @param {RunningTask} task
 * @param {unknown} [reason] what `signal.reason` shall be; an AbortError by default
 */
function cancel(task, reason) {
  // The supervisor's word may follow the caller's.
  if (task.told) return;
  task.told = true;
  task.reason = reason;
  task.controller?.abort(reason);
}

/**
 * @param {string} what
 * @returns {RunningTask}
 */
function currentOrThrow(what) {
  const task = current();
  isRead();
  if (task !== undefined) return task;
  const { FarmError } = require('../errors');
  throw new FarmError(
    'ERR_FARM_UNSUPPORTED',
    `${what} belongs to a running task, and none runs here: read it inside the called function, before it returns or its promise settles`,
  );
}

/** What `require('farm/worker')` reads. */
const face = {
  isRead,
  /** @returns {AbortSignal} */
  get signal() {
    const task = currentOrThrow('signal');
    if (!task.controller) {
      task.controller = new AbortController();
      if (task.told) task.controller.abort(task.reason);
      else if (hooks?.isCancelled(task)) task.controller.abort(hooks.reasonOf?.(task));
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
    return /** @type {Hooks} */ (hooks).emit(task, value);
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
