'use strict';

/**
 * Replies and progress values that wait for room, in the order in which they were made. The parent rings when it has taken
 * something; until then nothing is claimed. Only progress values can become many: who emits waits for the promise, and who
 * does not is held back.
 */

const { encodeError } = require('../codec');

/** What the native side answers; src/worker.rs. */
const FULL = -6;
const NO_MEMORY = -7;
/** Tags of the reply ring; transport/frame.rs. */
const FINAL_ERROR = 9;
const PROGRESS = 3;

/** Bytes of progress values that may wait before emit() itself waits. */
const MOST_BYTES = 1024 * 1024;
/** What each counts beyond its own: numbers are few bytes, and a hundred thousand of them much memory and a long list. */
const EACH_BYTES = 128;
const REST_MS = 1;

/**
 * @typedef {object} Held
 * @property {number} lane
 * @property {number} tag
 * @property {number} kind
 * @property {Uint8Array} body
 * @property {Uint8Array[]} attachments
 * @property {(() => void) | null} sent
 * @property {((error: unknown) => void) | null} failed
 */

class HeldReplies {
  /** @type {Held[]} */
  #list = [];
  #progressBytes = 0;
  /** @type {Int32Array | null} */
  #cell = null;

  /** @param {any} native */
  constructor(native) {
    this.native = native;
  }

  get length() {
    return this.#list.length;
  }

  /**
   * @param {number} lane
   * @param {number} tag
   * @param {import('../codec').Encoded} encoded
   */
  keep(lane, tag, { kind, bytes, start, end, attachments }) {
    this.#list.push({ lane, tag, kind, body: copyOf(bytes, start, end), attachments: attachments ?? [], sent: null, failed: null });
  }

  /**
   * Resolves when the value is on its way.
   * @param {number} lane
   * @param {import('../codec').Encoded} encoded
   * @returns {Promise<void>}
   */
  keepProgress(lane, { kind, bytes, start, end, attachments }) {
    const body = copyOf(bytes, start, end);
    // The task goes on, and may write there.
    const parts = (attachments ?? []).map((part) => copyOf(part, 0, part.byteLength));
    const promise = new Promise((resolve, reject) => {
      this.#list.push({ lane, tag: PROGRESS, kind, body, attachments: parts, sent: () => resolve(undefined), failed: reject });
    });
    // Nobody needs to look at it.
    promise.catch(() => {});
    this.#progressBytes += EACH_BYTES + bytesOf(body, parts);
    while (this.#progressBytes > MOST_BYTES && !this.send()) this.#rest();
    return promise;
  }

  /** @returns {boolean} true when nothing is held any more */
  send() {
    for (let held = this.#list[0]; held !== undefined; held = this.#list[0]) {
      const { lane, tag, kind, body, attachments } = held;
      const code = this.native.workerSend(lane, tag, kind, body, attachments);
      if (code === FULL) return false;
      this.#list.shift();
      if (tag === PROGRESS) {
        this.#progressBytes -= EACH_BYTES + bytesOf(body, attachments);
        if (code === NO_MEMORY) held.failed?.(tooLarge(body.byteLength, attachments));
        else held.sent?.();
      } else if (code === NO_MEMORY) {
        const { kind: errorKind, bytes, start, end } = encodeError(tooLarge(body.byteLength, attachments));
        this.#list.unshift({ lane, tag: FINAL_ERROR, kind: errorKind, body: copyOf(bytes, start, end), attachments: [], sent: null, failed: null });
      }
    }
    return true;
  }

  /** Synchronously: the caller's code does not let the event loop turn. */
  #rest() {
    this.#cell ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(this.#cell, 0, 0, REST_MS);
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {Uint8Array}
 */
function copyOf(bytes, start, end) {
  // Not that of Buffer, which shares the memory.
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

/**
 * @param {Uint8Array} body
 * @param {Uint8Array[]} attachments
 */
function bytesOf(body, attachments) {
  return attachments.reduce((sum, part) => sum + part.byteLength, body.byteLength);
}

/**
 * @param {number} size
 * @param {Uint8Array[] | null} attachments
 */
function tooLarge(size, attachments) {
  const total = (attachments ?? []).reduce((sum, part) => sum + part.byteLength, size);
  const { FarmError } = require('../errors');
  return new FarmError('ERR_FARM_NO_MEMORY', `There is no shared memory for a result of ${total} bytes; see the option maxSharedMemory`);
}

module.exports = { HeldReplies, tooLarge };
