'use strict';

/** The tasks of one farm that are not settled, by number: who waits for each, and what else is kept of it until it is. */

const { rejectWithCaller } = require('./caller-stack');
const { dropExtra } = require('./extra');
const { withHistory } = require('./retry');

/** @typedef {(value: unknown) => void} Resolve */
/** @typedef {import('./extra').Extra} Extra */

class OpenTasks {
  /** @type {(Resolve | null | undefined)[]} null: settled here, the native side has not let go */
  resolves = [];
  /** @type {(Extra | undefined)[]} */
  extras = [];
  /** @type {string[]} */
  methods = [];
  #free = /** @type {number[]} */ ([]);
  /** @type {(() => void) | null} runs when no task is open */
  whenIdle = null;
  /** The limit on those that wait, if there is one. @type {InstanceType<typeof import('./admission').Admission> | null} */
  admission = null;

  get count() {
    return this.resolves.length - this.#free.length;
  }

  /**
   * @param {string} method
   * @param {Resolve} resolve
   * @returns {number} the number of the task
   */
  add(method, resolve) {
    const id = this.#free.length > 0 ? /** @type {number} */ (this.#free.pop()) : this.resolves.length;
    this.resolves[id] = resolve;
    this.methods[id] = method;
    return id;
  }

  /**
   * @param {number} id
   * @param {unknown} value
   */
  fulfil(id, value) {
    const resolve = this.resolves[id];
    if (this.extras[id] !== undefined) this.#clear(id);
    this.#give(id);
    if (resolve) resolve(value);
  }

  /**
   * @param {number} id
   * @param {unknown} error
   */
  reject(id, error) {
    const resolve = this.resolves[id];
    const history = this.extras[id]?.history;
    this.#clear(id);
    this.#give(id);
    if (resolve) rejectWithCaller(resolve, history === undefined ? error : withHistory(error, history));
  }

  /**
   * Settles a task on this side.
   * @param {number} id
   * @param {unknown} error
   * @param {boolean} gone also for the native side; else its last frame is on the way and frees the number
   */
  giveUp(id, error, gone) {
    const resolve = /** @type {Resolve} */ (this.resolves[id]);
    this.#clear(id);
    if (gone) this.#give(id);
    else this.resolves[id] = null;
    rejectWithCaller(resolve, error);
  }

  /** @param {number} id */
  #clear(id) {
    const extra = this.extras[id];
    if (extra === undefined) return;
    this.extras[id] = undefined;
    dropExtra(extra);
  }

  /** @param {number} id */
  #give(id) {
    this.resolves[id] = undefined;
    this.#free.push(id);
    if (this.whenIdle !== null && this.count === 0) this.whenIdle();
    if (this.admission !== null) this.admission.left();
  }
}

module.exports = { OpenTasks };
