'use strict';

/**
 * Events of single tasks: `taskStart`, `taskRetry` and `taskEnd`. While nobody listens, the native side and the workers are
 * told so and send nothing about them.
 */

const { nextTick } = require('./real-time');

const NAMES = ['taskStart', 'taskRetry', 'taskEnd'];

/**
 * @typedef {object} Life of a task so far, as `engine/farm/life.rs` tells it
 * @property {number} workerId of its attempt; 0 while none has started it
 * @property {number} attempt
 * @property {number} wait ms
 * @property {number} run ms; -1 for none
 */

/** Of a task that the native side has not taken. @type {Life} */
const NONE = { workerId: 0, attempt: 1, wait: 0, run: -1 };

class TaskEvents {
  /** Somebody listens. */
  on = false;
  /** Tasks that something was told of, by number; `told`: the attempt under way has had its `taskStart`. @type {Map<number, { taskId: number, told: boolean }>} */
  #known = new Map();
  #count = 0;
  #emit;

  /**
   * @param {{ watchTasks: (ends: boolean, starts: boolean) => void, lifeOf: (id: number) => number[] } | null} native
   * @param {import('node:events').EventEmitter} farm
   */
  constructor(native, farm) {
    this.native = native;
    this.farm = farm;
    this.#emit = (/** @type {string} */ name, /** @type {object} */ event) => farm.emit(name, event);
    this.onNew = (/** @type {string | symbol} */ name) => this.#look(name);
    this.onRemoved = (/** @type {string | symbol} */ name) => NAMES.includes(/** @type {string} */ (name)) && this.#look('');
    this.arm();
  }

  /** Learns of listeners; once more after all were removed. */
  arm() {
    if (!this.farm.listeners('newListener').includes(this.onNew)) this.farm.on('newListener', this.onNew);
    if (!this.farm.listeners('removeListener').includes(this.onRemoved)) this.farm.on('removeListener', this.onRemoved);
    this.#look('');
  }

  /** @param {string | symbol} added who is about to be listened to */
  #look(added) {
    const [starts, ...ends] = NAMES.map((name) => name === added || this.farm.listenerCount(name) > 0);
    const on = starts || ends.includes(true);
    if (!on) this.#known.clear();
    if (on || this.on) this.native?.watchTasks(on, starts);
    this.on = on;
  }

  /** The native side goes. */
  stop() {
    this.native = null;
  }

  /** @param {number} id @returns {Life | null} null while nobody listens */
  lifeOf(id) {
    if (!this.on || this.native === null) return null;
    const [workerId, attempt, wait, run] = this.native.lifeOf(id);
    return { workerId, attempt, wait, run };
  }

  /**
   * Tells one listener after the other, when what is being done is done: one that throws disturbs nobody.
   * @param {string} name
   * @param {object} event
   */
  #tell(name, event) {
    nextTick(this.#emit, name, event);
  }

  /** @param {number} id */
  #of(id) {
    let known = this.#known.get(id);
    if (known === undefined) this.#known.set(id, (known = { taskId: ++this.#count, told: false }));
    return known;
  }

  /**
   * @param {number} id
   * @param {string} method
   * @param {Life} life
   */
  started(id, method, { workerId, attempt, wait }) {
    const known = this.#of(id);
    known.told = true;
    this.#tell('taskStart', { taskId: known.taskId, method, attempt, workerId, wait: ms(wait) });
  }

  /** What comes before the end of an attempt. @param {number} id @param {string} method @param {Life} life */
  #begun(id, method, life) {
    const known = this.#of(id);
    if (life.workerId !== 0 && !known.told) this.started(id, method, life);
    return known;
  }

  /**
   * An attempt is over, and another one follows.
   * @param {number} id
   * @param {string} method
   * @param {Life | null} told
   * @param {string} status
   * @param {unknown} error none where the attempt does not count
   */
  // eslint-disable-next-line max-params
  again(id, method, told, status, error) {
    const life = told ?? NONE;
    const known = this.#begun(id, method, life);
    known.told = false;
    const { workerId, attempt, run } = life;
    this.#tell('taskRetry', { taskId: known.taskId, method, attempt, workerId: workerId || null, run: run < 0 ? null : ms(run), status, error });
  }

  /**
   * @param {number} id
   * @param {string} method
   * @param {Life | null} told
   * @param {string} status
   * @param {unknown} [error]
   */
  // eslint-disable-next-line max-params
  ended(id, method, told, status, error) {
    const life = told ?? NONE;
    const { taskId } = this.#begun(id, method, life);
    this.#known.delete(id);
    const { workerId, attempt, wait, run } = life;
    const started = workerId !== 0;
    const event = { taskId, method, attempts: started ? attempt : attempt - 1, workerId: workerId || null, wait: ms(wait), run: started ? ms(run) : null, status };
    this.#tell('taskEnd', status === 'completed' ? event : { ...event, error });
  }
}

/**
 * @param {Buffer} bytes of a frame about a life
 * @param {number} at
 * @returns {Life}
 */
function readLife(bytes, at) {
  return { workerId: bytes.readUInt32LE(at), attempt: bytes.readUInt32LE(at + 4), wait: bytes.readDoubleLE(at + 8), run: bytes.readDoubleLE(at + 16) };
}

/** @param {number} value to the microsecond, as in stats() */
function ms(value) {
  return Math.round(value * 1000) / 1000;
}

module.exports = { TaskEvents, readLife };
