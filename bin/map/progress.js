'use strict';

/** How far the work is, on standard error: a bar on a terminal, a line every few seconds elsewhere. */

const { amount, time } = require('./figures');

const LINE_EVERY = 5000;
const FRAMES_PER_SECOND = 8;
/** The rate is that of about so many seconds. */
const RATE_OVER = 10;
/** So much (bytes) waits for the reader of standard error before no input is started any more. */
const WAITING = 1024 * 1024;

/**
 * @typedef {object} State
 * @property {number} done
 * @property {number} failed
 * @property {number} busy workers
 * @property {number} jobs
 * @property {number | null} total
 * @property {number | null} part 0 to 1, when known
 */

class Progress {
  /** @type {any} */
  #bars = null;
  /** @type {any} */
  #bar = null;
  #rate = new RecentRate();
  #partRate = new RecentRate();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {() => State} look @param {boolean} quiet @param {() => void} room for more may be there again */
  constructor(look, quiet, room) {
    this.look = look;
    this.quiet = quiet;
    process.stderr.on('drain', room);
    process.stderr.once('error', room);
  }

  /** The reader is slow: what fails and prints meanwhile would pile up. */
  get full() {
    return process.stderr.writableLength > WAITING && !process.stderr.errored;
  }

  start() {
    if (this.quiet) return;
    if (process.stderr.isTTY && process.env.TERM !== 'dumb') this.#startBar();
    else this.#timer = setInterval(() => this.say(`farm: ${this.#line()}`), LINE_EVERY);
  }

  #startBar() {
    const { MultiBar } = require('cli-progress');
    this.#bars = new MultiBar({
      stream: process.stderr,
      fps: FRAMES_PER_SECOND,
      clearOnComplete: true,
      // Lines are cut here, so the terminal's own wrapping can stay as it is, whatever ends this process.
      linewrap: true,
      forceRedraw: true,
      format: () => this.#picture(process.stderr.columns || 80),
    });
    this.#bar = this.#bars.create(1, 0);
  }

  /** @param {number} columns */
  #picture(columns) {
    const state = this.look();
    const text = this.#line(state);
    // The last column stays free: some terminals wrap when it is written to.
    const width = Math.min(40, columns - 1 - text.length - 3);
    const line = state.part === null || width < 8 ? text : `[${'='.repeat(Math.round(width * state.part)).padEnd(width, '-')}] ${text}`;
    return line.slice(0, Math.max(0, columns - 1));
  }

  /** @param {State} [state] */
  #line(state = this.look()) {
    const rate = this.#rate.at(state.done + state.failed);
    const parts = [`${amount(state.done + state.failed)}${state.total === null ? '' : `/${amount(state.total)}`}`];
    if (state.part !== null) parts[0] += ` ${Math.floor(state.part * 100)}%`;
    parts.push(`${amount(rate)}/s`);
    const left = this.#left(state.part);
    if (left !== null) parts.push(`ETA ${time(left)}`);
    if (state.failed > 0) parts.push(`${amount(state.failed)} failed`);
    parts.push(`${state.busy}/${state.jobs} busy`);
    return parts.join(', ');
  }

  /** @param {number | null} part @returns {number | null} seconds */
  #left(part) {
    if (part === null) return null;
    const rate = this.#partRate.at(part);
    return rate > 0 ? (1 - part) / rate : null;
  }

  /** A line of text above the bar. @param {string} line */
  say(line) {
    this.write(`${line}\n`);
  }

  /** @param {string} lines whole ones */
  write(lines) {
    if (this.#bars === null) process.stderr.write(lines);
    else {
      this.#bars.log(lines);
      this.#bars.update();
    }
  }

  /**
   * Takes the bar away while something else is written to the same terminal.
   * @param {() => void} write
   * @param {boolean} endsLine else the bar would be drawn over its end
   */
  aside(write, endsLine) {
    if (this.#bars === null) {
      write();
      return;
    }
    process.stderr.write('\r\u001b[K');
    write();
    if (!endsLine) process.stderr.write('\n');
  }

  stop() {
    clearInterval(this.#timer);
    this.#bars?.stop();
    this.#bars = null;
  }
}

class RecentRate {
  /** @type {{ when: number, done: number }[]} */
  #seen = [];

  /** @param {number} done @returns {number} per second */
  at(done) {
    const when = performance.now();
    this.#seen.push({ when, done });
    while (this.#seen.length > 2 && when - this.#seen[0].when > RATE_OVER * 1000) this.#seen.shift();
    const [first] = this.#seen;
    return when - first.when < 100 ? 0 : ((done - first.done) * 1000) / (when - first.when);
  }
}

module.exports = { Progress };
