'use strict';

/**
 * The limit on tasks that wait (`maxQueue`): what it turns away or holds back, and when there is room again. A farm without
 * that limit has no Admission.
 */

const { watchAbort } = require('./abort-watch');
const { inThisContext } = require('./caller-context');
const { rejectWithCaller } = require('./caller-stack');
const outcome = require('./outcome');
const { clearTimeout, nextTick, performance, setTimeout } = require('./real-time');

/**
 * @typedef {object} Held a call as its caller made it
 * @property {(value: unknown) => void} resolve
 * @property {(options: any) => Promise<any>} submit as its caller would: getters among the arguments, a codec of the user's and
 *   onProgress find the asynchronous context of the call
 * @property {any} options
 * @property {number} since
 * @property {number} queueTimeout
 * @property {() => void} [unwatch]
 * @property {NodeJS.Timeout} [timer]
 */

class Admission {
  /** Calls that wait for room, in order. @type {Set<Held>} */
  #held = new Set();
  /** There was no room left, and nobody was told of any since. */
  #full = false;
  #looking = false;
  /** A held call is let in. */
  #letting = false;
  #tasks;
  #roomAgain;

  /**
   * @param {any} options of the farm
   * @param {{ open: number, submit: (method: string, args: any[], options: any, patient: boolean) => Promise<any> }} tasks
   * @param {() => void} roomAgain
   */
  constructor(options, tasks, roomAgain) {
    this.options = options;
    this.#tasks = tasks;
    this.#roomAgain = roomAgain;
    this.look = this.look.bind(this);
  }

  /** @param {number} max workers from now on */
  resize(max) {
    this.options = { ...this.options, max };
    if (this.#held.size > 0) this.left();
  }

  get held() {
    return this.#held.size;
  }

  /** How many more tasks may be open. */
  get #room() {
    const { max, tasksPerWorker, maxQueue } = this.options;
    return max * tasksPerWorker + maxQueue - this.#tasks.open;
  }

  /** True when a call may become a task now. */
  admits() {
    if (this.#letting) {
      this.#letting = false;
      return true;
    }
    const room = this.#held.size > 0 ? 0 : this.#room;
    // With the last place taken the queue is full, whether anybody is turned away or not.
    if (room <= 1) this.#full = true;
    return room > 0;
  }

  /**
   * Holds a call back or turns it away.
   * @param {string} method
   * @param {any[]} args
   * @param {any} options
   * @param {boolean} patient held back even where the farm turns away
   * @returns {Promise<any>}
   */
  refuse(method, args, options, patient) {
    return new Promise((resolve) => {
      if (patient || this.options.overflow === 'wait') this.#hold(resolve, method, args, options);
      else rejectWithCaller(resolve, outcome.queueFull(this.options.maxQueue));
    });
  }

  /**
   * @param {(value: unknown) => void} resolve
   * @param {string} method
   * @param {any[]} args
   * @param {any} options
   */
  #hold(resolve, method, args, options) {
    const queueTimeout = options?.queueTimeout ?? this.options.queueTimeout;
    /** @type {Held} */
    const held = { resolve, submit: inThisContext((given) => this.#tasks.submit(method, args, given, true)), options, since: performance.now(), queueTimeout };
    if (options?.signal) held.unwatch = watchAbort(options.signal, () => this.#turnAway(held, options.signal.reason));
    if (Number.isFinite(queueTimeout)) {
      held.timer = setTimeout(() => this.#turnAway(held, outcome.queueTimeout(held)), Math.min(queueTimeout, 0x7fffffff)).unref();
    }
    this.#held.add(held);
  }

  /** @param {Held} held */
  #let(held) {
    this.#held.delete(held);
    held.unwatch?.();
    clearTimeout(held.timer);
  }

  /**
   * @param {Held} held
   * @param {unknown} error
   */
  #turnAway(held, error) {
    this.#let(held);
    rejectWithCaller(held.resolve, error);
  }

  /** A task was settled. What that makes room for starts later: its caller may be in the middle of settling more. */
  left() {
    if (this.#looking || !(this.#full || this.#held.size > 0)) return;
    this.#looking = true;
    nextTick(this.look);
  }

  look() {
    this.#looking = false;
    for (const held of this.#held) {
      if (this.#room <= 0) break;
      this.#let(held);
      // What it has waited here counts.
      const options = held.timer === undefined ? held.options : { ...held.options, waited: performance.now() - held.since };
      this.#letting = true;
      held.resolve(held.submit(options));
      // It may have been rejected before anybody asked.
      this.#letting = false;
    }
    if (!this.#full || this.#held.size > 0 || this.#room < Math.max(1, this.options.maxQueue / 2)) return;
    this.#full = false;
    this.#roomAgain();
  }

  /** @param {() => unknown} makeError */
  rejectHeld(makeError) {
    for (const held of this.#held) this.#turnAway(held, makeError());
  }
}

module.exports = { Admission };
