'use strict';

/**
 * The work itself: takes inputs from the source while there is room, has each done by the farm, gives the results to the
 * sink and the failures to the report. Room is bounded by tasks, by bytes, by the reader of the output and by the rate.
 */

const { encode, sizeOf } = require('./encode');
const { NOTHING } = require('./record-source');
const { Rate, Window } = require('./pace');
const { FatalError, UsageError } = require('./exit');

/** Bytes of inputs and results under way. */
const HELD_BYTES = 64 * 1024 * 1024;
/** Results that may wait for an earlier one, beyond the window. */
const WAITING_RESULTS = 1024;
/** ms; beyond it Node.js does not wait at all. */
const LONGEST_TIMER = 0x7fffffff;

/** @typedef {{ index: number, at: number, batch: import('./inputs').Batch, turn: number }} Input */

class Run {
  #open = 0;
  #running = 0;
  #heldBytes = 0;
  #turns = 0;
  /** @type {Map<number, { input: Input, encoded: any, failed: boolean }>} results that wait for an earlier one */
  #waiting = new Map();
  #nextTurn = 0;
  /** @type {(() => void) | null} */
  #wake = null;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  stopped = false;
  abandoned = false;
  #giveUp = () => {};
  /** Resolves when nothing shall be waited for any more. @type {Promise<void>} */
  givenUp = new Promise((resolve) => {
    this.#giveUp = resolve;
  });
  /** @type {Error | null} */
  fatal = null;

  /**
   * @param {object} parts
   * @param {(value: any) => Promise<any>} parts.call
   * @param {import('./inputs').Source} parts.source
   * @param {any} parts.sink
   * @param {{ readonly full: boolean }} parts.report where failures and prints go
   * @param {InstanceType<typeof import('./journal').Journal> | null} parts.journal
   * @param {InstanceType<typeof import('./tally').Tally>} parts.tally
   * @param {{ jobs: number, ordered?: boolean, failFast?: boolean, limitRate?: number }} parts.options
   */
  constructor({ call, source, sink, report, journal, tally, options }) {
    this.call = call;
    this.source = source;
    this.sink = sink;
    this.report = report;
    this.journal = journal;
    this.tally = tally;
    this.ordered = Boolean(options.ordered);
    this.failFast = Boolean(options.failFast);
    this.rate = options.limitRate === undefined ? null : new Rate(options.limitRate);
    this.wake = this.wake.bind(this);
    this.window = new Window(options.jobs, this.wake);
  }

  async work() {
    try {
      for (let batch = await this.source.next(); batch !== null && !this.stopped; batch = await this.source.next()) {
        await this.#begin(batch);
      }
    } catch (error) {
      this.abort(/** @type {Error} */ (error));
    }
    while (this.#open > 0 && !this.abandoned) await this.#room();
    this.window.close();
    clearTimeout(this.#timer);
  }

  /** @param {import('./inputs').Batch} batch */
  async #begin(batch) {
    for (let at = 0; at < batch.count; at++) {
      const index = batch.base + at;
      if (this.journal?.isDone(index)) {
        this.tally.bytesBefore += batch.bytes(at);
        continue;
      }
      while (!this.stopped && !this.#hasRoom()) await this.#room();
      if (this.stopped) return;
      this.#start({ index, at, batch, turn: 0 });
    }
  }

  #hasRoom() {
    if (this.#running >= this.window.size || this.#open >= this.window.size + WAITING_RESULTS || this.sink.full || this.report.full) return false;
    if (this.#heldBytes > HELD_BYTES && this.#open > 0) return false;
    if (this.rate === null) return true;
    const wait = this.rate.wait(performance.now());
    if (wait <= 0) return true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.wake, Math.min(wait, LONGEST_TIMER));
    return false;
  }

  /** @returns {Promise<void>} */
  #room() {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake() {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** @param {Input} input */
  #start(input) {
    let value;
    let failure = null;
    try {
      value = input.batch.value(input.at);
    } catch (error) {
      failure = { error };
    }
    if (value === NOTHING) return;
    this.rate?.took(performance.now());
    input.turn = this.#turns++;
    this.#open++;
    this.#running++;
    this.#heldBytes += input.batch.bytes(input.at);
    if (failure !== null) this.#settle(input, null, failure);
    else if (typeof value?.then === 'function') value.then((/** @type {any} */ content) => this.#submit(input, content), (/** @type {any} */ error) => this.#settle(input, null, { error }));
    else this.#submit(input, value);
  }

  /** @param {Input} input @param {any} value */
  #submit(input, value) {
    this.call(value).then(
      (result) => {
        let encoded;
        try {
          encoded = encode(result);
        } catch (error) {
          this.#settle(input, null, { error });
          return;
        }
        this.#settle(input, encoded, null);
      },
      (error) => this.#settle(input, null, { error }),
    );
  }

  /** @param {Input} input @param {any} encoded @param {{ error: any } | null} failure */
  #settle(input, encoded, failure) {
    this.#running--;
    this.window.settled();
    this.#heldBytes += sizeOf(encoded) - input.batch.bytes(input.at);
    if (failure !== null) this.#fail(input, failure.error);
    if (!this.ordered) {
      this.#deliver(input, encoded, failure !== null);
    } else {
      this.#waiting.set(input.turn, { input, encoded, failed: failure !== null });
      for (let due = this.#waiting.get(this.#nextTurn); due !== undefined; due = this.#waiting.get(this.#nextTurn)) {
        this.#waiting.delete(this.#nextTurn++);
        this.#deliver(due.input, due.encoded, due.failed);
      }
    }
    this.wake();
  }

  /** @param {Input} input @param {any} encoded @param {boolean} failed */
  #deliver(input, encoded, failed) {
    const written = failed ? undefined : this.sink.accept(input.index, encoded);
    if (written === undefined) this.#finish(input, encoded, failed);
    else {
      written.then(
        () => {
          this.journal?.done(input.index);
          this.#finish(input, encoded, false);
        },
        (/** @type {Error} */ error) => {
          this.#fail(input, error);
          this.#finish(input, encoded, true);
        },
      );
    }
  }

  /** @param {Input} input @param {any} encoded @param {boolean} failed */
  #finish(input, encoded, failed) {
    this.#open--;
    this.#heldBytes -= sizeOf(encoded);
    this.tally.bytesIn += input.batch.bytes(input.at);
    if (!failed) this.tally.done();
    this.wake();
  }

  /** @param {Input} input @param {any} error */
  #fail(input, error) {
    if (this.abandoned || this.fatal !== null) return;
    if (error?.code === 'ERR_FARM_NO_METHOD' && this.tally.finished === 0) {
      this.abort(new UsageError(`farm map: ${error.message}${error.methods?.length > 0 ? ' Name one with --method.' : ''}`));
    } else if (error?.code === 'ERR_FARM_START') this.abort(new FatalError(error.message));
    else if (error instanceof FatalError) this.abort(error);
    else {
      const name = input.batch.label(input.at);
      const line = this.tally.failed(name, error);
      this.journal?.failed(input.index, name, line);
      if (this.failFast) this.stop();
    }
  }

  /** Starts no input any more. */
  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this.source.close();
    this.wake();
  }

  /** @param {Error} error */
  abort(error) {
    this.fatal ??= error;
    this.stop();
  }

  /** Waits for nothing any more. */
  abandon() {
    this.abandoned = true;
    this.#giveUp();
    this.stop();
    this.wake();
  }
}

module.exports = { Run };
