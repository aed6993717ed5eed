'use strict';

/**
 * Settles the tasks of one farm from the frames that come back. Their layout is that of `engine/farm/drain.rs`.
 */

const { errorOf, readNews } = require('./frames');
const outcome = require('./outcome');
const { lastFailure, noteFailure } = require('./retry');

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

class Settling {
  /** What the native side writes to. */
  out = Buffer.allocUnsafeSlow(OUT_BYTES);
  #frames = new Uint32Array(this.out.buffer);
  #tasks;

  /**
   * @param {any} native
   * @param {InstanceType<typeof import('./open-tasks').OpenTasks>} tasks
   * @param {{ take: (event: any) => void, causeOf: (workerId: number) => unknown, pidOf: (workerId: number) => number | undefined }} roster
   * @param {object} rest
   * @param {any} rest.options of the farm
   * @param {ReturnType<typeof import('./codec').makeCodec>} rest.codec
   * @param {() => void} rest.retried some task waits for its next try
   * @param {(id: number, error: unknown) => void} rest.abort
   */
  constructor(native, tasks, roster, { options, codec, retried, abort }) {
    this.native = native;
    this.#tasks = tasks;
    this.roster = roster;
    this.causeOf = roster.causeOf.bind(roster);
    this.options = options;
    this.codec = codec;
    this.retried = retried;
    this.abort = abort;
    this.drain = this.drain.bind(this);
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
        tasks.reject(id, error);
        return;
      }
      tasks.fulfil(id, value);
    } else if (tag === PROGRESS) {
      const extra = tasks.extras[id];
      if (!extra?.onProgress) return;
      try {
        process.nextTick(extra.onProgress, this.codec.decode(kind, bytes, from, end, attachments));
      } catch (error) {
        // The task runs on; its caller would wait for a value that cannot come.
        this.abort(id, error);
      }
    } else if ((tag & RETRIED) !== 0) {
      this.#failed(id, tag, kind, bytes, from, end, attachments);
    } else {
      const extra = tasks.extras[id];
      const limits = extra ?? { ...this.options, method: tasks.methods[id] };
      tasks.reject(id, tag === outcome.NOT_RETRIED ? lastFailure(extra) : errorOf(tag, kind, bytes, from, end, attachments, limits, this.causeOf));
    }
  }

  /** An attempt has failed and another one follows. */
  // eslint-disable-next-line max-params
  #failed(id, tag, kind, bytes, from, end, attachments) {
    const extra = this.#tasks.extras[id];
    if (extra?.history !== undefined) {
      const workerId = tag >>> 16;
      const worker = workerId === 0 ? undefined : { workerId, pid: this.roster.pidOf(workerId) };
      clearTimeout(extra.timer);
      noteFailure(extra, errorOf(tag & 0xff, kind, bytes, from, end, attachments, extra, this.causeOf), worker);
    }
    this.retried();
  }
}

module.exports = { Settling };
