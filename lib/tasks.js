'use strict';

/**
 * The tasks of one farm that are not settled: encodes each at its submission, hands them over in batches (one per turn
 * of the event loop), and settles them from the frames that come back. Layouts of both directions are those of
 * `engine/farm/submission.rs` and `engine/farm/drain.rs`.
 */

const { rejectWithCaller } = require('./caller-stack');
const { Batch } = require('./batch');
const { encodeReason } = require('./cancel-reason');
const { dropExtra, makeExtra } = require('./extra');
const { errorOf, readNews } = require('./frames');
const { Rests, lastFailure, noteFailure, planOf, withHistory } = require('./retry');
const outcome = require('./outcome');
const { GIVEN_UP } = require('./stats');

const OUT_BYTES = 1024 * 1024;
const HEAD = 16;

/** Flags beside the length that `drain` returns; src/farm.rs. */
const MORE = 1 << 30;
const HAS_HANDOVERS = 1 << 29;
const HAS_NEWS = 1 << 28;
const LENGTH = HAS_NEWS - 1;

const BODY_APART = 1 << 8;

/** Tags of replies; transport/frame.rs. */
const RESULT = 1;
const PROGRESS = 3;

/** In a frame's kind: the attempt has failed, the task is tried again; engine/farm/retry.rs. */
const RETRIED = 1 << 8;

/** @typedef {(value: unknown) => void} Resolve */
/** @typedef {import('./extra').Extra} Extra */

class Tasks {
  /** @type {(Resolve | null | undefined)[]} by number; null: settled here, the native side has not let go */
  #resolves = [];
  /** @type {(Extra | undefined)[]} */
  #extras = [];
  #methods = /** @type {string[]} */ ([]);
  #free = /** @type {number[]} */ ([]);
  /** @type {(() => void) | null} */
  #whenIdle = null;

  /** The limit on those that wait, if there is one. @type {InstanceType<typeof import('./admission').Admission> | null} */
  admission = null;
  #batch;
  #rests;
  #out = Buffer.allocUnsafeSlow(OUT_BYTES);
  #frames = new Uint32Array(this.#out.buffer);

  /**
   * @param {any} native
   * @param {{ timeout: number, queueTimeout: number, views: boolean, retries: number, retryOn: readonly string[] }} options
   * @param {{ take: (event: any) => void, causeOf: (workerId: number) => unknown, pidOf: (workerId: number) => number | undefined }} roster
   * @param {ReturnType<typeof import('./codec').makeCodec>} codec
   */
  constructor(native, options, roster, codec) {
    this.native = native;
    this.options = options;
    this.roster = roster;
    this.causeOf = roster.causeOf.bind(roster);
    this.codec = codec;
    this.#batch = new Batch(native, options);
    this.#rests = new Rests(native);
    this.plan = planOf(options, null);
    this.plain = options.queueTimeout === Infinity && this.plan === null;
    this.drain = this.drain.bind(this);
    this.connected = native.connect(this.#batch.bytes, this.#out, this.drain);
  }

  /** Tasks not settled. */
  get open() {
    return this.#resolves.length - this.#free.length;
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
    if (this.admission !== null && !options?.signal?.aborted && !this.admission.admits()) return this.admission.refuse(method, args, options, patient);
    /** @type {Resolve} */
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
      encoded = this.codec.encode([method, ...args], 'task');
    } catch (error) {
      rejectWithCaller(resolve, error);
      return promise;
    }
    const places = encoded.attachments === null ? null : this.#batch.attach(encoded.attachments);
    if (encoded.attachments !== null && places === null) {
      const size = encoded.attachments.reduce((sum, part) => sum + part.byteLength, encoded.end - encoded.start);
      rejectWithCaller(resolve, outcome.noMemory(method, size));
      return promise;
    }
    const id = this.#free.length > 0 ? /** @type {number} */ (this.#free.pop()) : this.#resolves.length;
    this.#resolves[id] = resolve;
    this.#methods[id] = method;
    const plan = options === null ? this.plan : planOf(this.options, options);
    this.#extras[id] =
      options === null && this.plain
        ? undefined
        : makeExtra(method, options ?? {}, this.options, plan, (reason) => this.#abort(id, reason), (extra) => this.#expire(id, extra));
    this.#batch.add(id, encoded, places, options, plan);
    return promise;
  }

  /** @param {number} id @param {Extra} extra */
  #expire(id, extra) {
    this.#batch.flush();
    if (this.native.withdraw(id)) this.#reject(id, outcome.queueTimeout(extra));
  }

  /**
   * @param {number} id
   * @param {unknown} reason
   */
  #abort(id, reason) {
    // What is still in the batch is not known on the other side.
    this.#batch.flush();
    const resolve = this.#resolves[id];
    if (!resolve) return;
    const gone = this.native.cancel(id, GIVEN_UP.cancelled, encodeReason(reason));
    this.#clear(id);
    if (gone) this.#give(id);
    // Its last frame is on the way and frees the number.
    else this.#resolves[id] = null;
    rejectWithCaller(resolve, reason);
  }

  /** Everything that came in, until nothing more does. */
  drain() {
    let code;
    do {
      code = this.native.drain();
      const handovers = (code & HAS_HANDOVERS) !== 0 ? this.native.takeHandovers() : null;
      const news = (code & HAS_NEWS) !== 0 ? readNews(this.native.takeNews()) : null;
      // What a worker said before it ended belongs to the errors of its tasks.
      if (news !== null) for (const event of news) if (event.type === 'workerError') this.roster.take(event);
      this.#settle(code & LENGTH, handovers);
      if (news !== null) for (const event of news) if (event.type !== 'workerError') this.roster.take(event);
    } while ((code & MORE) !== 0);
  }

  /**
   * @param {number} length
   * @param {ArrayBuffer[] | null} handovers
   */
  #settle(length, handovers) {
    const frames = this.#frames;
    let next = 0;
    for (let at = 0; at < length; ) {
      const word = at >> 2;
      const id = frames[word];
      const tag = frames[word + 1];
      const size = frames[word + 2];
      const last = frames[word + 3];
      const start = at + HEAD;
      at = (start + size + 7) & ~7;
      let bytes = this.#out;
      let from = start;
      let end = start + size;
      if ((last & BODY_APART) !== 0) {
        bytes = Buffer.from(/** @type {ArrayBuffer[]} */ (handovers)[next++]);
        from = 0;
        end = bytes.length;
      }
      const count = last >>> 16;
      const attachments = count === 0 ? null : /** @type {ArrayBuffer[]} */ (handovers).slice(next, next + count);
      next += count;
      this.#frame(id, tag, last & 0xff, bytes, from, end, attachments);
    }
  }

  // eslint-disable-next-line max-params
  #frame(id, tag, kind, bytes, from, end, attachments) {
    if (tag === RESULT) {
      const resolve = this.#resolves[id];
      let value;
      try {
        value = this.codec.decode(kind, bytes, from, end, attachments);
      } catch (error) {
        this.#reject(id, error);
        return;
      }
      if (this.#extras[id] !== undefined) this.#clear(id);
      this.#give(id);
      if (resolve) resolve(value);
    } else if (tag === PROGRESS) {
      const extra = this.#extras[id];
      if (!extra?.onProgress) return;
      try {
        process.nextTick(extra.onProgress, this.codec.decode(kind, bytes, from, end, attachments));
      } catch (error) {
        // The task runs on; its caller would wait for a value that cannot come.
        this.#abort(id, error);
      }
    } else if ((tag & RETRIED) !== 0) {
      this.#failed(id, tag, kind, bytes, from, end, attachments);
    } else {
      const extra = this.#extras[id];
      this.#reject(id, tag === outcome.NOT_RETRIED ? lastFailure(extra) : errorOf(tag, kind, bytes, from, end, attachments, extra ?? { ...this.options, method: this.#methods[id] }, this.causeOf));
    }
  }

  /** An attempt has failed and another one follows. */
  // eslint-disable-next-line max-params
  #failed(id, tag, kind, bytes, from, end, attachments) {
    const extra = this.#extras[id];
    if (extra?.history !== undefined) {
      const workerId = tag >>> 16;
      const worker = workerId === 0 ? undefined : { workerId, pid: this.roster.pidOf(workerId) };
      clearTimeout(extra.timer);
      noteFailure(extra, errorOf(tag & 0xff, kind, bytes, from, end, attachments, extra, this.causeOf), worker);
    }
    this.#rests.look();
  }

  /**
   * @param {number} id
   * @param {unknown} error
   */
  #reject(id, error) {
    const resolve = this.#resolves[id];
    const history = this.#extras[id]?.history;
    this.#clear(id);
    this.#give(id);
    if (resolve) rejectWithCaller(resolve, history === undefined ? error : withHistory(error, history));
  }

  /** Nothing is tried again; what waits for it is settled with the error of its last attempt. */
  endRetries() {
    this.#batch.flush();
    this.native.endRetries();
    this.#rests.stop();
  }

  /** @param {number} id */
  #clear(id) {
    const extra = this.#extras[id];
    if (extra === undefined) return;
    this.#extras[id] = undefined;
    dropExtra(extra);
  }

  /** @param {number} id */
  #give(id) {
    this.#resolves[id] = undefined;
    this.#free.push(id);
    if (this.#whenIdle !== null && this.open === 0) this.#whenIdle();
    if (this.admission !== null) this.admission.left();
  }

  /** @param {() => void} callback runs when no task is open */
  onIdle(callback) {
    this.#whenIdle = callback;
  }

  /**
   * Settles every open task in one way.
   * @param {(id: number) => unknown} makeError
   * @param {number} why one of GIVEN_UP
   */
  rejectAll(makeError, why) {
    this.#rests.stop();
    this.#batch.flush();
    for (let id = 0; id < this.#resolves.length; id++) {
      const resolve = this.#resolves[id];
      if (!resolve) continue;
      const gone = this.native.cancel(id, why);
      this.#clear(id);
      if (gone) this.#give(id);
      else this.#resolves[id] = null;
      rejectWithCaller(resolve, makeError(id));
    }
  }
}

module.exports = { Tasks };
