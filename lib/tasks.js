'use strict';

/**
 * The tasks of one farm on their way in: encodes each at its submission, hands them over in batches (one per turn of the
 * event loop), and takes them back when their caller or the farm gives them up. `settling.js` is their way out.
 */

const { rejectWithCaller } = require('./caller-stack');
const { Batch } = require('./batch');
const { encodeReason } = require('./cancel-reason');
const { makeExtra } = require('./extra');
const { OpenTasks } = require('./open-tasks');
const outcome = require('./outcome');
const { clearTimeout, setTimeout } = require('./real-time');
const { Rests, planOf } = require('./retry');
const { Settling } = require('./settling');
const { GIVEN_UP, GIVEN_UP_AS } = require('./stats');

const NO_OPTIONS = Object.freeze(Object.create(null));

/** @typedef {import('./extra').Extra} Extra */
/** @typedef {(import('./task-events').Life | null)[]} Lives */

class Tasks {
  #tasks = new OpenTasks();
  #batch;
  #rests;

  /**
   * @param {any} native
   * @param {{ timeout: number, queueTimeout: number, views: boolean, retries: number, retryOn: readonly string[] }} options
   * @param {{ take: (event: any) => void, causeOf: (workerId: number) => unknown, pidOf: (workerId: number) => number | undefined }} roster
   * @param {Pick<ReturnType<typeof import('./codec').makeCodec>, 'encodeTask' | 'decode'>} codec
   * @param {InstanceType<typeof import('./task-events').TaskEvents>} events
   */
  // eslint-disable-next-line max-params
  constructor(native, options, roster, codec, events) {
    this.native = native;
    this.options = options;
    this.codec = codec;
    this.events = events;
    this.#batch = new Batch(native, options);
    this.#rests = new Rests(native);
    this.plan = planOf(options, null);
    this.plain = options.queueTimeout === Infinity && this.plan === null;
    const abort = (/** @type {number} */ id, /** @type {unknown} */ error) => this.#abort(id, error);
    const settling = new Settling(native, this.#tasks, roster, { options, events, codec, retried: this.#rests.look, abort });
    this.connected = native.connect(this.#batch.bytes, settling.out, settling.drain);
  }

  /** Tasks not settled. */
  get open() {
    return this.#tasks.count;
  }

  /** The limit on those that wait, if there is one. */
  get admission() {
    return this.#tasks.admission;
  }

  /** @param {InstanceType<typeof import('./admission').Admission> | null} admission */
  limit(admission) {
    this.#tasks.admission = admission;
  }

  /** What this turn has submitted goes to the native side now. */
  handOver() {
    this.#batch.flush();
  }

  /** @param {number} max workers from now on */
  resize(max) {
    this.admission?.resize(max);
  }

  /**
   * @param {string} method
   * @param {any[]} args
   * @param {any} options checked, or null
   * @param {boolean} patient waits for room where there is none, whatever `overflow` says
   * @returns {Promise<any>}
   */
  submit(method, args, options, patient) {
    const { admission } = this.#tasks;
    if (admission !== null && !options?.signal?.aborted && !admission.admits()) return admission.refuse(method, args, options, patient);
    /** @type {import('./open-tasks').Resolve} */
    let resolve = /** @type {any} */ (undefined);
    const promise = new Promise((settle) => {
      resolve = settle;
    });
    if (options?.signal?.aborted) {
      rejectWithCaller(resolve, options.signal.reason);
      return promise;
    }
    let encoded;
    try {
      encoded = this.codec.encodeTask(method, args);
    } catch (error) {
      rejectWithCaller(resolve, error);
      return promise;
    }
    // By a getter among the arguments, which has run just now.
    if (options?.signal?.aborted) {
      rejectWithCaller(resolve, options.signal.reason);
      return promise;
    }
    const places = encoded.attachments === null ? null : this.#batch.attach(encoded.attachments);
    if (encoded.attachments !== null && places === null) {
      const size = encoded.attachments.reduce((sum, part) => sum + part.byteLength, encoded.end - encoded.start);
      rejectWithCaller(resolve, outcome.noMemory(method, size));
      return promise;
    }
    const id = this.#tasks.add(method, resolve);
    const plan = options === null ? this.plan : planOf(this.options, options);
    if (options !== null || !this.plain) this.#watch(id, method, options ?? NO_OPTIONS, plan);
    this.#batch.add(id, encoded, places, options, plan);
    return promise;
  }

  /**
   * Apart from `submit`, whose variables would else have to live as long as these functions.
   * @param {number} id
   * @param {string} method
   * @param {any} options
   * @param {import('./retry').Plan | null} plan
   */
  // eslint-disable-next-line max-params
  #watch(id, method, options, plan) {
    const abort = (/** @type {unknown} */ reason) => this.#abort(id, reason);
    this.#tasks.extras[id] = makeExtra(method, options, this.options, plan, abort, (extra) => this.#expire(id, extra));
  }

  /** @param {number} id @param {Extra} extra */
  #expire(id, extra) {
    this.#batch.flush();
    const life = this.events.lifeOf(id);
    if (!this.native.withdraw(id)) return;
    const error = outcome.queueTimeout(extra);
    if (this.events.on) this.events.ended(id, extra.method, life, 'queueTimedOut', error);
    this.#tasks.reject(id, error);
  }

  /**
   * @param {number} id
   * @param {unknown} reason
   */
  #abort(id, reason) {
    // First: it may run code of the user's, which may settle the task.
    const encoded = encodeReason(reason);
    // What is still in the batch is not known on the other side.
    this.#batch.flush();
    if (!this.#tasks.resolves[id]) return;
    this.#giveUp(id, reason, GIVEN_UP.cancelled, encoded);
  }

  /**
   * Settles a task on this side.
   * @param {number} id
   * @param {unknown} error
   * @param {number} why one of GIVEN_UP
   * @param {Buffer} [reason] for the code in the worker
   * @param {Lives} [lives]
   */
  // eslint-disable-next-line max-params
  #giveUp(id, error, why, reason, lives) {
    if (this.events.on) this.events.ended(id, this.#tasks.methods[id], lives?.[id] ?? this.events.lifeOf(id), GIVEN_UP_AS[why], error);
    this.#tasks.giveUp(id, error, this.native.cancel(id, why, reason));
  }

  /** Nothing is tried again; what waits for it is settled with the error of its last attempt. */
  endRetries() {
    this.#batch.flush();
    this.native.endRetries();
    this.#rests.stop();
  }

  /**
   * Resolves when no task is open, or after `timeout` ms.
   * @param {number} timeout
   * @returns {Promise<void>}
   */
  drained(timeout) {
    return new Promise((resolve) => {
      if (this.open === 0) return resolve();
      const timer = Number.isFinite(timeout) ? setTimeout(resolve, Math.min(timeout, 0x7fffffff)) : undefined;
      this.#tasks.whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What is known of the open tasks, by number; undefined while nobody listens. @returns {Lives | undefined} */
  lives() {
    if (!this.events.on) return undefined;
    this.#batch.flush();
    return this.#tasks.resolves.map((resolve, id) => (resolve ? this.events.lifeOf(id) : null));
  }

  /**
   * Settles every open task in one way.
   * @param {(id: number) => unknown} makeError
   * @param {number} why one of GIVEN_UP
   * @param {Lives} [lives] where the native side has let go of all tasks before
   */
  rejectAll(makeError, why, lives) {
    this.#rests.stop();
    this.#batch.flush();
    const { resolves } = this.#tasks;
    for (let id = 0; id < resolves.length; id++) {
      if (resolves[id]) this.#giveUp(id, makeError(id), why, undefined, lives);
    }
  }
}

module.exports = { Tasks };
