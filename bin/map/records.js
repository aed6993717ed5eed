'use strict';

/** Cuts blocks of bytes into records: what stands before each separator. A block is handled as a whole, not line by line. */

const { nameOf } = require('./names');
const { FatalError } = require('./exit');

/** More than this without a separator is no text in lines; V8 could not hold it as one string either. */
const LONGEST = 256 * 1024 * 1024;

class Records {
  /** @type {Buffer[]} the beginning of a record whose end has not come */
  #begun = [];
  #begunBytes = 0;

  /**
   * @param {number} separator a byte
   * @param {'text' | 'buffer' | 'name'} as
   */
  constructor(separator, as) {
    this.separator = separator;
    this.as = as;
  }

  /**
   * @param {Buffer} block
   * @returns {{ values: (string | Buffer)[], bytes: number } | null} the records that this block completes
   */
  take(block) {
    const last = block.lastIndexOf(this.separator);
    if (last < 0) {
      this.#begun.push(block);
      this.#begunBytes += block.length;
      if (this.#begunBytes > LONGEST) throw new FatalError(`the input has more than ${LONGEST / 1024 / 1024} MiB without an end of line; is it text?`);
      return null;
    }
    const head = block.subarray(0, last);
    const whole = this.#begun.length === 0 ? head : Buffer.concat([...this.#begun, head]);
    const rest = block.subarray(last + 1);
    this.#begun = rest.length === 0 ? [] : [rest];
    this.#begunBytes = rest.length;
    return { values: this.#cut(whole), bytes: whole.length + 1 };
  }

  /** What stands behind the last separator. */
  end() {
    if (this.#begunBytes === 0) return null;
    const whole = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunBytes = 0;
    return { values: this.#cut(whole), bytes: whole.length };
  }

  /** @param {Buffer} whole */
  #cut(whole) {
    if (this.as === 'text' && this.separator === 10) return whole.toString('utf8').split('\n');
    const values = [];
    for (let at = 0; at <= whole.length; ) {
      const found = whole.indexOf(this.separator, at);
      const end = found < 0 ? whole.length : found;
      const record = whole.subarray(at, end);
      // Its own copy: a view would carry the whole block with it.
      values.push(this.as === 'buffer' ? Buffer.from(record) : nameOf(record));
      at = end + 1;
    }
    return values;
  }
}

module.exports = { Records };
