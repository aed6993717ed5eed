'use strict';

/**
 * `farm.map`: runs one method over many items and hands the results out as they are asked for.
 *
 * The reader decides the pace. At most `concurrency` tasks are under way and at most twice as many items have been read
 * without their result being taken, so an endless source with a slow reader needs a bounded amount of memory.
 */

const { Fifo } = require('./fifo');
const { show } = require('./option-checks');
const { optionError } = require('./option-objects');
const { checkCall, mapOptions } = require('./options');

/**
 * @typedef {{ settled: boolean, failed: boolean, value: any }} Entry
 * @typedef {{ resolve: (result: IteratorResult<any>) => void, reject: (error: unknown) => void }} Waiter
 * @typedef {{ submit: (method: string, args: any[], options: any, patient: boolean) => Promise<any>, options: { max: number } }} MapFarm
 */

class TaskMap {
  /**
   * @param {MapFarm} farm
   * @param {Iterator<any> | AsyncIterator<any>} source
   * @param {string} method
   * @param {ReturnType<typeof mapOptions>} options
   */
  constructor(farm, source, method, { concurrency, ordered, signal }) {
    this.farm = farm;
    this.source = source;
    this.method = method;
    this.concurrency = concurrency ?? 2 * farm.options.max;
    this.ordered = ordered;
    this.signal = signal;
    this.taskOptions = signal === undefined ? null : { timeout: undefined, queueTimeout: undefined, signal, onProgress: undefined };
    /** By item when ordered, else by arrival. @type {InstanceType<typeof Fifo<Entry>>} */
    this.entries = new Fifo();
    /** @type {InstanceType<typeof Fifo<Waiter>>} */
    this.waiters = new Fifo();
    this.running = 0;
    /** Items read whose result was not handed out. */
    this.held = 0;
    this.reading = false;
    /** No more items are read: the source has ended, something failed, or the reader has left. */
    this.stopped = false;
    /** @type {{ error: unknown } | null} the source's own error, due after the results of what it gave before */
    this.sourceError = null;
    this.finished = false;
    this.onAbort = () => this.abort();
    if (signal?.aborted) this.abort();
    else signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** @returns {Promise<IteratorResult<any>>} */
  next() {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.deliver();
      this.read();
    });
  }

  /** @param {any} [value] */
  async return(value) {
    this.finish();
    await this.stop();
    return { done: true, value };
  }

  /**
   * @param {unknown} error
   * @returns {Promise<IteratorResult<any>>}
   */
  async throw(error) {
    this.finish();
    await this.stop();
    throw error;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Reads while there is room. A synchronous source is read in one go, so that its tasks are published together. */
  read() {
    while (!this.stopped && !this.reading && this.running < this.concurrency && this.held < 2 * this.concurrency) {
      try {
        const step = /** @type {any} */ (this.source.next());
        if (typeof step?.then === 'function') this.take(step, (/** @type {any} */ result) => this.accept(result));
        else this.accept(step);
      } catch (error) {
        this.failReading(error);
      }
    }
  }

  /**
   * @param {PromiseLike<any>} promise
   * @param {(value: any) => void} next
   */
  take(promise, next) {
    const settled = (/** @type {() => void} */ then) => {
      this.reading = false;
      try {
        if (!this.stopped) then();
      } catch (error) {
        this.failReading(error);
      }
      this.read();
    };
    // A then that throws or calls both is the promise's business.
    Promise.resolve(promise).then(
      (value) => settled(() => next(value)),
      (error) => settled(() => this.failReading(error)),
    );
    this.reading = true;
  }

  /** @param {any} step an iterator's result; its properties may be getters, which throw */
  accept(step) {
    if (step === null || typeof step !== 'object') {
      this.failReading(new TypeError(`The iterator of the items returned ${String(step)} instead of a result object`));
    } else if (step.done) {
      this.stopped = true;
      this.deliver();
    } else if (typeof step.value?.then === 'function') {
      // As in `for await`, a synchronous source may hold promises.
      this.take(step.value, (item) => this.start(item));
    } else this.start(step.value);
  }

  /** @param {unknown} error */
  failReading(error) {
    this.stopped = true;
    this.sourceError = { error };
    this.deliver();
  }

  /** @param {any} item */
  start(item) {
    /** @type {Entry} */
    const entry = { settled: false, failed: false, value: undefined };
    this.running++;
    this.held++;
    if (this.ordered) this.entries.push(entry);
    let result;
    try {
      result = this.farm.submit(this.method, [item], this.taskOptions, true);
    } catch (error) {
      this.settle(entry, true, error);
      return;
    }
    result.then(
      (value) => this.settle(entry, false, value),
      (error) => this.settle(entry, true, error),
    );
  }

  /**
   * @param {Entry} entry
   * @param {boolean} failed
   * @param {any} value
   */
  settle(entry, failed, value) {
    this.running--;
    if (this.finished) return;
    Object.assign(entry, { settled: true, failed, value });
    if (!this.ordered) this.entries.push(entry);
    if (failed) void this.stop();
    this.deliver();
    this.read();
  }

  /** Hands out what is due to those who wait for it. */
  deliver() {
    while (this.waiters.length > 0) {
      if (this.finished) this.waiters.shift()?.resolve({ done: true, value: undefined });
      else if (this.entries.peek()?.settled) this.handOut(/** @type {Entry} */ (this.entries.shift()));
      else if (this.stopped && this.running === 0 && this.entries.length === 0) this.finish(this.sourceError);
      else return;
    }
  }

  /** @param {Entry} entry */
  handOut(entry) {
    this.held--;
    if (entry.failed) this.finish({ error: entry.value });
    else this.waiters.shift()?.resolve({ done: false, value: entry.value });
  }

  /**
   * Nothing more is handed out, except an error to the one who waits longest. Results of running tasks are dropped.
   * @param {{ error: unknown } | null} [failure]
   */
  finish(failure = null) {
    if (this.finished) return;
    this.finished = true;
    this.entries.clear();
    this.signal?.removeEventListener('abort', this.onAbort);
    if (failure !== null) this.waiters.shift()?.reject(failure.error);
    this.deliver();
  }

  abort() {
    void this.stop();
    this.entries.unshift({ settled: true, failed: true, value: this.signal?.reason });
    this.held++;
    this.deliver();
  }

  /** Ends the reading and tells the source, as `for await` does when it is left early. */
  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    try {
      const closed = this.source.return?.();
      // A generator that is waiting for its next item answers only after that one, which may be never.
      if (this.reading) Promise.resolve(closed).catch(() => {});
      else await closed;
    } catch {
      // The reader has left or is about to get the error that counts.
    }
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(TaskMap.prototype, Symbol.asyncDispose, {
    configurable: true,
    value: /** @this {TaskMap} */ async function dispose() {
      await this.return();
    },
  });
}

/**
 * @param {MapFarm} farm
 * @param {Iterable<any> | AsyncIterable<any>} iterable each item is the method's one argument
 * @param {string} method
 * @param {object} [options] concurrency, ordered, signal
 * @returns {AsyncIterableIterator<any>}
 */
function mapTasks(farm, iterable, method, options) {
  const settings = mapOptions(options);
  checkCall(method);
  const open = /** @type {any} */ (iterable)?.[Symbol.asyncIterator] ?? /** @type {any} */ (iterable)?.[Symbol.iterator];
  const source = typeof open === 'function' ? open.call(iterable) : undefined;
  if (typeof source?.next !== 'function') throw optionError('items', iterable, `The items of map must be an iterable or async iterable, not ${show(iterable)}`);
  return new TaskMap(farm, source, method, settings);
}

module.exports = { mapTasks };
