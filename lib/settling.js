'use strict';

/**
 * Settles the tasks of one farm from the frames that come back. Their layout is that of `engine/farm/drain.rs`.
 */

const { errorOf, readNews } = require('./frames');
const outcome = require('./outcome');
const { clearTimeout, nextTick } = require('./real-time');
const { lastFailure, noteFailure } = require('./retry');
const { readLife } = require('./task-events');

const OUT_BYTES = 1024 * 1024;
const HEAD = 16;

/** Flags beside the length that `drain` returns; src/farm.rs. */
const HAS_HANDOVERS = 1 << 29;
const HAS_NEWS = 1 << 28;
const LENGTH = HAS_NEWS - 1;

const BODY_APART = 1 << 8;

/** Tags of replies; transport/frame.rs. */
const RESULT = 1;
const PROGRESS = 3;

/** Frames about the life of a task; engine/farm/settled.rs. */
const LIFE = 20;
const STARTED = 21;
const REQUEUED = 22;

/** In a frame's kind: the attempt has failed, the task is tried again; engine/farm/retry.rs. */
const RETRIED = 1 << 8;

class Settling {
  /** What the native side writes to. */
  out = Buffer.allocUnsafeSlow(OUT_BYTES);
  #frames = new Uint32Array(this.out.buffer);
  #tasks;
  /** What was told of the task of the next frame. @type {{ id: number, life: import('./task-events').Life } | null} */
  #told = null;

  /**
   * @param {any} native
   * @param {InstanceType<typeof import('./open-tasks').OpenTasks>} tasks
   * @param {{ take: (event: any) => void, causeOf: (workerId: number) => unknown, pidOf: (workerId: number) => number | undefined }} roster
   * @param {object} rest
   * @param {any} rest.options of the farm
   * @param {InstanceType<typeof import('./task-events').TaskEvents>} rest.events
   * @param {Pick<ReturnType<typeof import('./codec').makeCodec>, 'decode'>} rest.codec
   * @param {() => void} rest.retried some task waits for its next try
   * @param {(id: number, error: unknown) => void} rest.abort
   */
  constructor(native, tasks, roster, { options, events, codec, retried, abort }) {
    this.native = native;
    this.#tasks = tasks;
    this.roster = roster;
    this.causeOf = roster.causeOf.bind(roster);
    this.options = options;
    this.events = events;
    this.codec = codec;
    this.retried = retried;
    this.abort = abort;
    this.drain = this.drain.bind(this);
  }

  /** What came in; of much only a part: whoever calls looks again, and the event loop has its turn now and then. */
  drain() {
    const code = this.native.drain();
    const handovers = (code & HAS_HANDOVERS) !== 0 ? this.native.takeHandovers() : null;
    const news = (code & HAS_NEWS) !== 0 ? readNews(this.native.takeNews()) : null;
    // What a worker said before it ended belongs to the errors of its tasks.
    if (news !== null) for (const event of news) if (event.type === 'workerError') this.roster.take(event);
    this.#settle(code & LENGTH, handovers);
    if (news !== null) for (const event of news) if (event.type !== 'workerError') this.roster.take(event);
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
      let bytes = this.out;
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
    const tasks = this.#tasks;
    if (tag === RESULT) {
      let value;
      try {
        value = this.codec.decode(kind, bytes, from, end, attachments);
      } catch (error) {
        this.#reject(id, 'failed', error);
        return;
      }
      if (this.events.on && tasks.resolves[id]) this.events.ended(id, tasks.methods[id], this.#lifeOf(id), 'completed');
      tasks.fulfil(id, value);
    } else if (tag === PROGRESS) {
      const extra = tasks.extras[id];
      if (!extra?.onProgress) return;
      try {
        nextTick(extra.onProgress, this.codec.decode(kind, bytes, from, end, attachments));
      } catch (error) {
        // The task runs on; its caller would wait for a value that cannot come.
        this.abort(id, error);
      }
    } else if ((tag & RETRIED) !== 0) {
      this.#failed(id, tag, kind, bytes, from, end, attachments);
    } else if (tag >= LIFE && tag <= REQUEUED) {
      this.#alive(id, tag, readLife(bytes, from));
    } else {
      const extra = tasks.extras[id];
      const limits = extra ?? { ...this.options, method: tasks.methods[id] };
      this.#reject(id, outcome.statusOf(tag), tag === outcome.NOT_RETRIED ? lastFailure(extra) : errorOf(tag, kind, bytes, from, end, attachments, limits, this.causeOf));
    }
  }

  /**
   * @param {number} id
   * @param {string} status
   * @param {unknown} error
   */
  #reject(id, status, error) {
    const tasks = this.#tasks;
    if (this.events.on && tasks.resolves[id]) this.events.ended(id, tasks.methods[id], this.#lifeOf(id), status, error);
    tasks.reject(id, error);
  }

  /**
   * @param {number} id
   * @param {number} tag
   * @param {import('./task-events').Life} life
   */
  #alive(id, tag, life) {
    const { resolves, methods } = this.#tasks;
    if (tag === LIFE) this.#told = { id, life };
    else if (!this.events.on || !resolves[id]) return;
    else if (tag === STARTED) this.events.started(id, methods[id], life);
    else this.events.again(id, methods[id], life, 'lost', undefined);
  }

  /** What the frame before this one has told. @param {number} id */
  #lifeOf(id) {
    const told = this.#told;
    this.#told = null;
    return told?.id === id ? told.life : null;
  }

  /** An attempt has failed and another one follows. */
  // eslint-disable-next-line max-params
  #failed(id, tag, kind, bytes, from, end, attachments) {
    const extra = this.#tasks.extras[id];
    if (extra?.history !== undefined) {
      const workerId = tag >>> 16;
      const worker = workerId === 0 ? undefined : { workerId, pid: this.roster.pidOf(workerId) };
      clearTimeout(extra.timer);
      const error = errorOf(tag & 0xff, kind, bytes, from, end, attachments, extra, this.causeOf);
      noteFailure(extra, error, worker);
      if (this.events.on) this.events.again(id, extra.method, this.#lifeOf(id), outcome.statusOf(tag & 0xff), error);
    }
    this.retried();
  }
}

module.exports = { Settling };
