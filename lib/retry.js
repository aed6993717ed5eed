'use strict';

/**
 * What the JavaScript side adds to retries, which the native side decides about (engine/pool/tasks): the plan of a task, the
 * timer for those that rest, and what its error tells of earlier attempts.
 */

const { textOf } = require('./errors');
const { clearTimeout, performance, setTimeout } = require('./real-time');

/** Bits of `Plan::bit`. @type {Record<string, number>} */
const BITS = { exit: 1, timeout: 2, error: 4 };
const MOST = 0xffff_ffff;

/** @typedef {{ retries: number, priority: number, bits: number }} Plan */
/**
 * @typedef {object} Attempt one that was not the last
 * @property {number} attempt
 * @property {string} name of its error
 * @property {string} message
 * @property {string} [code]
 * @property {number} [workerId]
 * @property {number} [pid]
 * @property {number | null} [exitCode]
 * @property {string | null} [signal]
 */

/**
 * @param {{ retries: number, retryOn: readonly string[] }} farm
 * @param {any} task options of the task, or null
 * @returns {Plan | null} null for a task that nobody treats differently
 */
function planOf(farm, task) {
  const retries = task?.retries ?? farm.retries;
  const priority = task?.priority ?? 0;
  if (retries === 0 && priority === 0) return null;
  const retryOn = task?.retryOn ?? farm.retryOn;
  return { retries: Math.min(retries, MOST), priority, bits: retryOn.reduce((/** @type {number} */ bits, /** @type {string} */ word) => bits | BITS[word], 0) };
}

/** The one timer of a farm: tasks that rest are not published before the native side is told what time it is. */
class Rests {
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #at = Infinity;

  /** @param {{ tick: () => number }} native */
  constructor(native) {
    this.native = native;
    this.look = this.look.bind(this);
  }

  look() {
    const wait = this.native.tick();
    const at = wait < 0 ? Infinity : performance.now() + wait;
    if (at === this.#at) return;
    this.stop();
    this.#at = at;
    // The open tasks keep the process alive.
    if (at !== Infinity) this.#timer = setTimeout(this.look, Math.ceil(wait)).unref();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}

/**
 * @param {number} attempt
 * @param {unknown} error
 * @param {{ workerId: number, pid: number | undefined } | undefined} worker where the error itself does not say it
 * @returns {Attempt}
 */
function attemptOf(attempt, error, worker) {
  const thrown = /** @type {any} */ (error);
  const isError = thrown !== null && typeof thrown === 'object' && typeof thrown.message === 'string';
  /** @type {Attempt} */
  const entry = { attempt, name: isError ? textOf(thrown.name) : typeof thrown, message: isError ? thrown.message : textOf(thrown) };
  if (typeof thrown?.code === 'string') entry.code = thrown.code;
  if (worker) return Object.assign(entry, worker);
  const { workerId, pid, exitCode, signal } = thrown;
  return pid ? Object.assign(entry, { workerId, pid, exitCode, signal }) : entry;
}

/**
 * @param {{ history?: Attempt[], last?: unknown }} task
 * @param {unknown} error
 * @param {{ workerId: number, pid: number | undefined } | undefined} worker where the error itself does not say it
 */
function noteFailure(task, error, worker) {
  const history = /** @type {Attempt[]} */ (task.history);
  history.push(attemptOf(history.length + 1, error, worker));
  task.last = error;
}

/**
 * The error of a task whose last failure was not to be its last: it counts as that after all.
 * @param {{ history?: Attempt[], last?: unknown } | undefined} task
 */
function lastFailure(task) {
  task?.history?.pop();
  return task?.last;
}

/**
 * The error of the last attempt, with the earlier ones. What is no object stays as it was thrown.
 * @param {unknown} error
 * @param {Attempt[]} history
 */
function withHistory(error, history) {
  if (error === null || typeof error !== 'object') return error;
  const facts = { attempts: history.length + 1, history };
  for (const [name, value] of Object.entries(facts)) {
    if (!Object.hasOwn(error, name)) Object.defineProperty(error, name, { value, enumerable: true, configurable: true, writable: true });
  }
  const { quarantined } = /** @type {any} */ (error);
  if (quarantined === true && history.length > 0) /** @type {any} */ (error).message += `\nEarlier attempts:\n${history.map(line).join('\n')}`;
  return error;
}

/** @param {Attempt} attempt */
function line({ attempt, message }) {
  return `  ${attempt}. ${message.split('\n', 1)[0]}`;
}

module.exports = { planOf, Rests, noteFailure, lastFailure, withHistory };
