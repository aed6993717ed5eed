'use strict';

/** WorkerFarm: a pool of worker processes behind one module. */

const { loadAddon, loopNotPolled } = require('./native-addon');
// First: it goes on while the rest is loaded.
const native = loadAddon();
native.makeRoom();

const { EventEmitter } = require('node:events');
const { Admission } = require('./admission');
const { nativeSettings, standardLimits } = require('./farm-settings');
const { checkCall, checkMin, checkedSize, closeTimeout, farmOptions, statsReset, taskOptions } = require('./options');
const outcome = require('./outcome');
const { makeCodec } = require('./codec');
const { checkFiles, workerLimits } = require('./limits');
const { forkMessages } = require('./fork-messages');
const { resolveCodec, resolveWorker } = require('./resolve');
const { serviceOf } = require('./service-proxy');
const { Roster } = require('./roster');
const { openNative } = require('./start-error');
const { TaskEvents } = require('./task-events');
const { GIVEN_UP, farmStats } = require('./stats');
const { Tasks } = require('./tasks');
const { bootData } = require('./worker-program');

const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

class WorkerFarm extends EventEmitter {
  #native;
  #tasks;
  /** @type {'open' | 'closing' | 'closed'} */
  #state = 'open';
  #roster;
  #events;
  /** Tasks are looked at before they are taken: the farm is not open, or its breaker is. */
  #gated = false;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** @type {(() => void) | undefined} */
  #onClosed;
  #whyClosed = outcome.closed;
  #kept = false;
  /** Figures of the native side when it went, for whoever asks afterwards. @type {string | undefined} */
  #lastFigures;

  /**
   * @param {string | URL | { fork: string | URL }} source the worker module
   * @param {object} [options]
   */
  constructor(source, options) {
    super();
    const checked = farmOptions(source, options);
    const resolved = resolveWorker(source);
    const standard = standardLimits(native);
    const max = checked.max ?? standard.max;
    checkMin(checked.min, max);
    const codec = resolveCodec(checked.codec);
    const { encodeTask, decode } = checked.fork ? forkMessages() : makeCodec(codec);
    const { limits, heapFlags } = workerLimits(checked, max, native);
    const execArgv = [...checked.execArgv, ...heapFlags];
    /** @type {Readonly<Record<string, any>>} */
    this.options = Object.freeze({ ...checked, codec, max, limits, execArgv, maxSharedMemory: checked.maxSharedMemory ?? standard.maxSharedMemory });
    this.file = resolved.file;
    const settings = nativeSettings(this.options, resolved, native.libraryPath());
    const boot = bootData(this.options, resolved);
    this.#native = openNative(() => new native.NativeFarm(settings, boot), resolved.file);
    this.#roster = new Roster(resolved.file, {
      emit: (name, ...args) => this.emit(name, ...args),
      startFailed: (makeError) => this.#tasks.rejectAll(makeError, GIVEN_UP.notStarted),
      refuses: () => {
        this.#gated = true;
      },
      closed: () => this.#onClosed?.(),
      failed: (message) => this.#fail(message),
    });
    this.#events = new TaskEvents(this.#native, this);
    this.#tasks = new Tasks(this.#native, /** @type {any} */ (this.options), this.#roster, { encodeTask, decode }, this.#events);
    if (this.options.maxQueue !== Infinity) this.#tasks.limit(new Admission(this.options, this.#tasks, () => this.emit('drain')));
    if (!this.#tasks.connected) {
      this.#native.destroy();
      throw loopNotPolled();
    }
    this.service = serviceOf(this, resolved.file);
  }

  /**
   * @param {string} method
   * @param {any[]} args
   * @param {any} options checked, or null
   * @param {boolean} [patient] waits where the queue is full, whatever `overflow` says
   * @returns {Promise<any>}
   */
  submit(method, args, options, patient = false) {
    if (this.#gated) {
      const refusal = this.#refusal();
      if (refusal !== undefined) return Promise.reject(refusal);
    }
    return this.#tasks.submit(method, args, options, patient);
  }

  #refusal() {
    if (this.#state !== 'open') return this.#whyClosed();
    const refusal = this.#roster.refusal();
    this.#gated = refusal !== undefined;
    return refusal;
  }

  /**
   * Runs one task.
   * @param {string} method '' for the module's single function
   * @param {any[]} [args]
   * @param {object} [options]
   */
  async run(method, args = [], options = undefined) {
    checkCall(method, args);
    return this.submit(method, [...args], taskOptions(options));
  }

  /**
   * @param {Iterable<any> | AsyncIterable<any>} items
   * @param {string} method
   * @param {object} [options]
   */
  map(items, method, options) {
    return require('./map').mapTasks(/** @type {any} */ (this), items, method, options);
  }

  /** Resolves when `min` workers (at least one) are online. */
  ready() {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const wanted = Math.max(1, this.options.min);
    if (this.#roster.online >= wanted) return Promise.resolve();
    const done = this.#holding(this.#roster.whenOnline(wanted));
    this.#native.demand(wanted);
    return done;
  }

  /**
   * Another number of workers from now on: more are started as tasks ask for them, those too many leave when they have
   * finished their tasks, idle ones first.
   * @param {{ max?: number, min?: number }} size
   */
  resize(size) {
    const { max, min } = checkedSize(size, /** @type {any} */ (this.options));
    if (this.#state !== 'open') throw this.#whyClosed();
    checkFiles(this.options.limits.files, max);
    this.options = Object.freeze({ ...this.options, max, min });
    this.#tasks.resize(max);
    this.#native.resize(min, max);
    this.#roster.settleFor(Math.max(1, min));
  }

  /**
   * Replaces every worker by a fresh one, which loads the module as it is now; no task is lost. A new one that cannot be
   * started ends it: the workers that are there stay.
   * @returns {Promise<void>}
   */
  reload() {
    if (this.#state !== 'open') return Promise.reject(this.#whyClosed());
    const done = this.#holding(this.#roster.whenReloaded());
    this.#native.reload();
    return done;
  }

  /**
   * Keeps the process alive until the promise is settled.
   * @param {Promise<void>} promise
   */
  #holding(promise) {
    this.#native.hold(true);
    return promise.finally(() => {
      // A closed farm holds nothing any more.
      if (this.#state !== 'closed') this.#native.hold(false);
    });
  }

  /** What workers write stays in their pipes, and a worker that writes more than they hold waits. */
  pauseOutput() {
    if (this.#state !== 'closed') this.#native.pauseOutput(true);
  }

  resumeOutput() {
    if (this.#state !== 'closed') this.#native.pauseOutput(false);
  }

  /**
   * Figures of tasks (those of this turn too), times, workers and memory.
   * @param {{ reset?: boolean }} [options] reset: the histograms start anew after this
   */
  stats(options = {}) {
    const reset = statsReset(options);
    if (this.#lastFigures === undefined) this.#tasks.handOver();
    const figures = JSON.parse(this.#lastFigures ?? this.#native.stats(reset));
    return farmStats(this.#state, this.#roster, { ...figures, held: this.#tasks.admission?.held ?? 0 });
  }

  /**
   * Takes no more tasks, finishes those it has, lets the workers leave.
   * @param {{ timeout?: number }} [options] ms until what still runs is killed; 30000 by default, Infinity for never
   * @returns {Promise<void>}
   */
  close(options) {
    if (this.#closing) return this.#closing;
    let timeout = 0;
    try {
      timeout = closeTimeout(options);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#closing = this.#end(async () => {
      this.#tasks.admission?.rejectHeld(this.#whyClosed);
      this.#tasks.endRetries();
      await this.#tasks.drained(timeout);
      if (this.#tasks.open > 0) this.#abandon();
      this.#native.close(Number.isFinite(timeout) ? timeout : -1);
    });
    return this.#closing;
  }

  /** Kills the workers now; every open task rejects with ERR_FARM_CLOSED. */
  destroy() {
    if (this.#state === 'closed') return Promise.resolve();
    // First, so that no worker is cancelled one by one and replaced.
    const lives = this.#tasks.lives();
    this.#native.destroy();
    this.#abandon(lives);
    this.#closing ??= this.#end(async () => {});
    return this.#closing;
  }

  /** @param {import('./tasks').Lives} [lives] */
  #abandon(lives) {
    this.#state = 'closing';
    this.#gated = true;
    this.#tasks.admission?.rejectHeld(this.#whyClosed);
    this.#tasks.rejectAll(this.#whyClosed, GIVEN_UP.closed, lives);
    this.#roster.rejectWaiting(this.#whyClosed);
  }

  /** Nobody watches the workers any more: every open task rejects, and the farm is over. @param {string} message */
  #fail(message) {
    this.#whyClosed = () => outcome.failed(message);
    this.#abandon(this.#tasks.lives());
    this.#closing ??= this.#end(async () => {});
    this.#onClosed?.();
  }

  /** @param {() => Promise<void>} begin */
  async #end(begin) {
    this.#state = 'closing';
    this.#gated = true;
    this.#native.hold(true);
    const closed = new Promise((resolve) => {
      this.#onClosed = () => resolve(undefined);
    });
    await begin();
    await closed;
    this.#abandon();
    this.#state = 'closed';
    this.#native.hold(false);
    this.#lastFigures = this.#native.stats(false);
    this.#events.stop();
    this.#native.dispose();
  }

  /** @param {any[]} names */
  removeAllListeners(...names) {
    super.removeAllListeners(.../** @type {[]} */ (names));
    this.#events.arm();
    return this;
  }

  /** Keeps the process alive even when no task is open. */
  ref() {
    if (!this.#kept && this.#state === 'open') this.#native.hold((this.#kept = true));
    return this;
  }

  unref() {
    if (this.#kept && this.#state === 'open') this.#native.hold((this.#kept = false));
    return this;
  }

  [ASYNC_DISPOSE]() {
    return this.close();
  }
}

module.exports = { WorkerFarm };
