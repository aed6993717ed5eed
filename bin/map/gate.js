'use strict';

/** So many at a time go through; the others wait in a row. */
class Gate {
  #inside = 0;
  /** @type {(() => void)[]} */
  #row = [];

  /** @param {number} most */
  constructor(most) {
    this.most = most;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async through(work) {
    if (this.#inside < this.most) this.#inside++;
    // Whoever leaves gives its place to the next one.
    else await new Promise((resolve) => this.#row.push(() => resolve(undefined)));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #leave() {
    const next = this.#row.shift();
    if (next === undefined) this.#inside--;
    else next();
  }
}

module.exports = { Gate };
