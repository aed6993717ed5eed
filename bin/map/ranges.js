'use strict';

/** A set of numbers that lie mostly side by side, kept and written as ranges: "0-99,101". */
class Ranges {
  /** @type {[number, number][]} */
  #list = [];
  #cursor = 0;
  size = 0;

  /** @param {number[]} numbers each once @returns {string} */
  static text(numbers) {
    const sorted = Float64Array.from(numbers).sort();
    const parts = [];
    for (let at = 0; at < sorted.length; ) {
      let end = at;
      while (end + 1 < sorted.length && sorted[end + 1] === sorted[end] + 1) end++;
      parts.push(end === at ? `${sorted[at]}` : `${sorted[at]}-${sorted[end]}`);
      at = end + 1;
    }
    return parts.join(',');
  }

  /** @param {string} text */
  add(text) {
    for (const part of text.split(',')) {
      const [from, to = from] = part.split('-').map(Number);
      this.#list.push([from, to]);
    }
  }

  /** Orders what was added; after that it can be asked. */
  seal() {
    this.#list.sort((a, b) => a[0] - b[0]);
    /** @type {[number, number][]} */
    const merged = [];
    for (const [from, to] of this.#list) {
      const last = merged.at(-1);
      if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
      else merged.push([from, to]);
    }
    this.#list = merged;
    this.size = merged.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  }

  /** @param {number} number asked in ascending order */
  has(number) {
    while (this.#cursor < this.#list.length && this.#list[this.#cursor][1] < number) this.#cursor++;
    return this.#cursor < this.#list.length && this.#list[this.#cursor][0] <= number;
  }
}

module.exports = { Ranges };
