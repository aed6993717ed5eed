'use strict';

/** What comes first goes first. `Array.prototype.shift` moves all that is left: with 200,000 entries that takes longer than the tasks. */

/** Up to here moving is cheaper than keeping room that is not used. */
const SHORT = 1024;

/** @template T */
class Fifo {
  /** @type {(T | undefined)[]} */
  #entries = [];
  #first = 0;

  get length() {
    return this.#entries.length - this.#first;
  }

  /** @param {T} entry */
  push(entry) {
    this.#entries.push(entry);
  }

  /** @returns {T | undefined} the first, which stays */
  peek() {
    return this.#entries[this.#first];
  }

  /** @returns {T | undefined} */
  shift() {
    if (this.length === 0) return undefined;
    const entry = this.#entries[this.#first];
    this.#entries[this.#first++] = undefined;
    if (this.#first > SHORT && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return entry;
  }

  /** @param {T} entry goes before all others */
  unshift(entry) {
    if (this.#first > 0) this.#entries[--this.#first] = entry;
    else this.#entries.unshift(entry);
  }

  clear() {
    this.#entries = [];
    this.#first = 0;
  }
}

module.exports = { Fifo };
