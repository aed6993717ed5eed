'use strict';

/**
 * Tasks on their way to the native side: all that one turn of the event loop submits goes over in one call. The layout is
 * that of `engine/farm/submission.rs`.
 */

const { SCRATCH } = require('./codec/plain-write');
const { nextTick } = require('./real-time');

const BATCH_BYTES = 256 * 1024;
const HEAD = 16;
const OPTIONS = 16;
const HAS_OPTIONS = 1 << 8;
const PLAN = 8;
const COPIES = 1 << 9;
const HAS_PLAN = 1 << 10;
/** Up to here a loop is quicker than a call into the runtime. */
const SHORT = 48;
const SCRATCH_WORDS = new Uint32Array(SCRATCH.buffer);

/** @typedef {{ bytes: Buffer, words: Uint32Array, times: Float64Array }} Target */

/**
 * @param {number} size
 * @returns {Target}
 */
function target(size) {
  const bytes = Buffer.allocUnsafeSlow((size + 15) & ~7);
  return { bytes, words: new Uint32Array(bytes.buffer), times: new Float64Array(bytes.buffer) };
}

class Batch {
  #target = target(BATCH_BYTES);
  #at = 0;
  #scheduled = false;

  /**
   * @param {any} native
   * @param {{ timeout: number, queueTimeout: number, views: boolean }} options of the farm
   */
  constructor(native, options) {
    this.native = native;
    this.options = options;
    this.always = Number.isFinite(options.timeout) || Number.isFinite(options.queueTimeout);
    this.flags = options.views ? 0 : COPIES;
    this.flush = this.flush.bind(this);
  }

  /** What the native side reads. */
  get bytes() {
    return this.#target.bytes;
  }

  /**
   * Copies large binary into shared memory.
   * @param {Uint8Array[]} parts
   * @returns {number[] | null} offset and length of each; null when there is no room
   */
  attach(parts) {
    /** @type {number[]} */
    const places = [];
    // Their number has two bytes in a message.
    if (parts.length > 0xffff) return null;
    for (const part of parts) {
      const at = this.native.attach(part);
      if (at < 0) {
        for (let index = 0; index < places.length; index += 2) this.native.detach(places[index]);
        return null;
      }
      places.push(at, part.byteLength);
    }
    return places;
  }

  /**
   * @param {number} id
   * @param {import('./codec').Encoded} encoded
   * @param {number[] | null} places of its attachments
   * @param {any} options of the task, or null
   * @param {import('./retry').Plan | null} plan
   */
  // eslint-disable-next-line max-params
  add(id, encoded, places, options, plan) {
    const timed = this.always || (options !== null && (options.timeout !== undefined || options.queueTimeout !== undefined));
    const table = places === null ? 0 : places.length * 8;
    const size = HEAD + (timed ? OPTIONS : 0) + (plan === null ? 0 : PLAN) + table + encoded.end - encoded.start;
    if (this.#at + size + 8 > BATCH_BYTES) {
      this.flush();
      if (size + 8 > BATCH_BYTES) {
        const large = target(size);
        this.#write(large, 0, id, encoded, timed, places, options, plan);
        this.native.submitLarge(large.bytes);
        return;
      }
    }
    this.#write(this.#target, this.#at, id, encoded, timed, places, options, plan);
    this.#at = (this.#at + size + 7) & ~7;
    if (!this.#scheduled) {
      this.#scheduled = true;
      nextTick(this.flush);
    }
  }

  /**
   * @param {Target} into
   * @param {number} at
   * @param {number} id
   * @param {import('./codec').Encoded} encoded
   * @param {boolean} timed
   * @param {number[] | null} places
   * @param {any} options
   * @param {import('./retry').Plan | null} plan
   */
  // eslint-disable-next-line max-params
  #write({ bytes, words, times }, at, id, encoded, timed, places, options, plan) {
    const { kind, bytes: source, start, end } = encoded;
    const word = at >> 2;
    words[word] = id;
    words[word + 1] = kind | this.flags | (timed ? HAS_OPTIONS : 0) | (plan === null ? 0 : HAS_PLAN);
    words[word + 2] = (places === null ? 0 : places.length * 8) + end - start;
    words[word + 3] = places === null ? 0 : places.length / 2;
    let to = at + HEAD;
    if (timed) {
      times[to >> 3] = finite(options?.timeout ?? this.options.timeout);
      // What is used up is not none: that would be 0.
      times[(to >> 3) + 1] = finite(Math.max((options?.queueTimeout ?? this.options.queueTimeout) - (options?.waited ?? 0), 0.001));
      to += OPTIONS;
    }
    if (plan !== null) {
      words[to >> 2] = plan.retries;
      words[(to >> 2) + 1] = (plan.priority & 0xffff) | (plan.bits << 16);
      to += PLAN;
    }
    if (places !== null) {
      for (const value of places) {
        words[to >> 2] = value >>> 0;
        words[(to >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
        to += 8;
      }
    }
    if (end <= SHORT && source === SCRATCH) {
      // The last word may bring along up to three bytes that mean nothing; there is room for them.
      for (let from = 0, word = to >> 2; from < end; from += 4) words[word++] = SCRATCH_WORDS[from >> 2];
    } else if (end - start <= SHORT) for (let from = start; from < end; from++) bytes[to++] = source[from];
    else bytes.set(source.subarray(start, end), to);
  }

  /** Hands over what was added. */
  flush() {
    this.#scheduled = false;
    if (this.#at === 0) return;
    const length = this.#at;
    this.#at = 0;
    this.native.submit(length);
  }
}

/** @param {number} time ms, Infinity for none */
function finite(time) {
  return Number.isFinite(time) ? time : 0;
}

module.exports = { Batch };
