'use strict';

/**
 * Whether a stream is the one that a journal was written for: at each block the journal has the number of bytes so far
 * and their hash. When work is resumed, no byte is let through before the hash behind it has been found right.
 */

const { createHash } = require('node:crypto');
const { UsageError } = require('./exit');
const { shown } = require('./names');

/** @typedef {{ at: number, hash: string }} Mark */

class StreamCheck {
  #hash = createHash('sha256');
  #at = 0;
  /** @type {Buffer[]} read, and not found right so far */
  #held = [];
  #next = 0;

  /** @param {{ marks: Mark[], endAt: number | null, file: string, note: (record: any) => void } | null} journal */
  constructor(journal) {
    this.journal = journal;
  }

  /**
   * @param {Buffer} block
   * @returns {Buffer[]} what can be worked on
   */
  take(block) {
    if (this.journal === null) return [block];
    const cleared = [];
    while (block.length > 0) {
      const mark = this.journal.marks[this.#next];
      if (mark === undefined) {
        if (this.journal.endAt !== null) throw this.#wrong('is longer now');
        this.#add(block);
        this.journal.note({ at: this.#at, hash: this.#digest() });
        cleared.push(block);
        break;
      }
      const part = block.subarray(0, mark.at - this.#at);
      block = block.subarray(part.length);
      this.#add(part);
      this.#held.push(part);
      if (this.#at < mark.at) break;
      if (this.#digest() !== mark.hash) throw this.#wrong(`differs within its first ${mark.at} bytes`);
      this.#next++;
      cleared.push(...this.#held.splice(0));
    }
    return cleared;
  }

  /** The stream has ended. */
  end() {
    if (this.journal === null) return;
    if (this.#next < this.journal.marks.length) throw this.#wrong('is shorter now');
    if (this.journal.endAt === null) this.journal.note({ end: this.#at });
  }

  /** @param {Buffer} bytes */
  #add(bytes) {
    this.#hash.update(bytes);
    this.#at += bytes.length;
  }

  #digest() {
    return this.#hash.copy().digest('hex').slice(0, 32);
  }

  /** @param {string} how */
  #wrong(how) {
    return new UsageError(`farm map: the journal ${shown(this.journal?.file ?? '')} was written for another input: what is read ${how}`);
  }
}

module.exports = { StreamCheck };
