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
  /** Of each free number the next one; -1 ends the row. An array of them that grows and shrinks would be made anew all the time. @type {number[]} */
  #after = [];
  #free = -1;
  count = 0;
  /** @type {(() => void) | null} runs when no task is open */
  whenIdle = null;
  /** The limit on those that wait, if there is one. @type {InstanceType<typeof import('./admission').Admission> | null} */
  admission = null;

  /**
   * @param {string} method
   * @param {Resolve} resolve
   * @returns {number} the number of the task
   */
  add(method, resolve) {
    const { resolves, methods } = this;
    this.count++;
    let id = this.#free;
    if (id < 0) {
      id = resolves.length;
      this.#after.push(-1);
      this.extras.push(undefined);
    } else {
      this.#free = this.#after[id];
    }
    resolves[id] = resolve;
    methods[id] = method;
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
    this.#after[id] = this.#free;
    this.#free = id;
    this.count--;
    if (this.whenIdle !== null && this.count === 0) this.whenIdle();
    if (this.admission !== null) this.admission.left();
  }
}

module.exports = { OpenTasks };
