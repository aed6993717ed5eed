'use strict';

/** How many tasks are under way: enough that no worker waits, few enough that the end of the work is never far. */

const TICK = 20;
/** More in flight only lives longer: measured, twice this costs the collector more than it brings. */
const MOST = 1024;

class Window {
  #settled = 0;

  /** @param {number} jobs @param {() => void} grown */
  constructor(jobs, grown) {
    this.jobs = jobs;
    this.size = jobs + 1;
    this.grown = grown;
    this.timer = setInterval(() => this.#adapt(), TICK);
  }

  settled() {
    this.#settled++;
  }

  /** Work for two ticks; long tasks stand in a row of one, so that Ctrl-C does not have to wait for more. */
  #adapt() {
    const before = this.size;
    this.size = Math.min(MOST, Math.max(this.jobs + 1, 2 * this.#settled));
    this.#settled = 0;
    if (this.size > before) this.grown();
  }

  close() {
    clearInterval(this.timer);
  }
}

/** `--limit-rate`: starts at even distances; what came late is not made up for by a burst. */
class Rate {
  #due = -Infinity;

  /** @param {number} perSecond */
  constructor(perSecond) {
    this.every = 1000 / perSecond;
    // Timers are no finer than some milliseconds; what falls between two of them starts together.
    this.slack = this.every < TICK ? TICK : 0;
  }

  /** @param {number} now ms @returns {number} ms until an input may start */
  wait(now) {
    return Math.max(0, this.#due - now);
  }

  /** @param {number} now */
  took(now) {
    this.#due = Math.max(this.#due, now - this.slack) + this.every;
  }
}

module.exports = { Window, Rate };
