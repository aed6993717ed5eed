'use strict';

/** The workers of one farm as its events tell: who is there, who waits for them, what they said before they ended. */

const { decodeError, rehearse } = require('./codec');
const { exitRecord } = require('./exit-record');
const { unguarded } = require('./guard-program');
const { nextTick, performance } = require('./real-time');
const { startError, turnedAway } = require('./start-error');
const { ExitCounts } = require('./stats');

/** @typedef {{ resolve: (value?: any) => void, reject: (error: unknown) => void, wanted: number }} Waiting */

class Roster {
  /** @type {Map<number, { pid: number, state: 'starting' | 'online', since: number }>} */
  #workers = new Map();
  /** The last error a worker reported. @type {Map<number, unknown>} */
  #lastErrors = new Map();
  /** Workers whose last error became the cause of a task's. @type {Set<number>} */
  #told = new Set();
  /** @type {Waiting[]} */
  #waiting = [];
  exits = new ExitCounts();
  /** The first start that failed since a worker came online. @type {(() => unknown) | undefined} */
  #firstFailure;
  /** Reloads that were asked for. */
  #reloadCount = 0;
  /** Those of them that are not settled, in their order. @type {{ resolve: () => void, reject: (error: unknown) => void, number: number }[]} */
  #reloads = [];
  /** So many of them are given up or over: an answer to an earlier one may come after the next was asked for. */
  #reloadsOver = 0;
  /** Until when (performance.now()) nothing is started. */
  #refusesUntil = 0;

  /**
   * @param {string} file the worker module
   * @param {{ emit: (name: string, ...args: any[]) => void, startFailed: (makeError: () => unknown) => void, refuses: () => void, closed: () => void, failed: (message: string) => void }} farm
   */
  constructor(file, farm) {
    this.file = file;
    this.farm = { ...farm, emit: toldAllTheSame(farm.emit) };
  }

  get online() {
    let count = 0;
    for (const worker of this.#workers.values()) if (worker.state === 'online') count++;
    return count;
  }

  /**
   * Resolves when so many workers are online.
   * @param {number} wanted
   * @returns {Promise<void>}
   */
  whenOnline(wanted) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, wanted });
    });
  }

  /** Why no worker is started now; undefined when one may be. */
  refusal() {
    // Node loads its clock of that name at the first use.
    if (this.#firstFailure === undefined) return undefined;
    const left = this.#refusesUntil - performance.now();
    if (left <= 0) return undefined;
    return turnedAway(this.#firstFailure(), Math.ceil(left));
  }

  /** @param {() => unknown} makeError */
  rejectWaiting(makeError) {
    this.#reloadsOver = this.#reloadCount;
    this.#rejectStarting(makeError);
  }

  /** Those who wait for workers, and for reloads that are given up. @param {() => unknown} makeError */
  #rejectStarting(makeError) {
    for (const { reject } of [...this.#waiting.splice(0), ...this.#overReloads()]) reject(makeError());
  }

  #overReloads() {
    const left = this.#reloads.findIndex(({ number }) => number > this.#reloadsOver);
    return this.#reloads.splice(0, left < 0 ? Infinity : left);
  }

  /** The error that ended a worker, as the cause of a task's. @param {number} workerId */
  causeOf(workerId) {
    if (this.#lastErrors.has(workerId)) this.#told.add(workerId);
    return this.#lastErrors.get(workerId);
  }

  /** @param {number} workerId */
  pidOf(workerId) {
    return this.#workers.get(workerId)?.pid;
  }

  list() {
    return [...this.#workers].map(([workerId, { pid, state, since }]) => ({ workerId, pid, state, uptime: Math.round(performance.now() - since) }));
  }

  /** @param {any} event */
  take(event) {
    const { workerId } = event;
    switch (event.type) {
      case 'spawn':
        // Now its process starts, and nothing comes from it for a while.
        rehearse();
        this.#workers.set(workerId, { pid: event.pid, state: 'starting', since: performance.now() });
        this.farm.emit('spawn', { workerId, pid: event.pid });
        break;
      case 'online':
        this.#onOnline(workerId);
        break;
      case 'workerError':
        this.#lastErrors.set(workerId, decodeReport(event.bytes));
        break;
      case 'startFailed':
        this.#onStartFailed(event);
        break;
      case 'output':
        this.farm.emit(event.stream === 1 ? 'stdout' : 'stderr', event.bytes, { workerId });
        break;
      case 'exit':
        this.#onExit(event);
        break;
      case 'unguarded':
        unguarded(event.message);
        break;
      case 'reloaded':
        // What was given up is rejected by the failed start that comes with it.
        this.#reloadsOver = event.count;
        if (event.done) for (const { resolve } of this.#overReloads()) resolve();
        break;
      case 'closed':
        this.farm.closed();
        break;
      case 'failed':
        // They are being killed, and nobody is left to tell of it.
        this.#workers.clear();
        this.farm.failed(event.message);
        break;
      default:
    }
  }

  /** @param {number} workerId */
  #onOnline(workerId) {
    const worker = this.#workers.get(workerId);
    if (worker) worker.state = 'online';
    this.#firstFailure = undefined;
    this.#refusesUntil = 0;
    this.#lookOnline();
    this.farm.emit('online', { workerId, pid: worker?.pid });
  }

  #lookOnline() {
    const { online } = this;
    const done = this.#waiting.filter((waiting) => waiting.wanted <= online);
    this.#waiting = this.#waiting.filter((waiting) => waiting.wanted > online);
    for (const { resolve } of done) resolve();
  }

  /**
   * Who waits for more has to do with so many: the farm is of another size.
   * @param {number} wanted
   */
  settleFor(wanted) {
    for (const waiting of this.#waiting) waiting.wanted = Math.min(waiting.wanted, wanted);
    this.#lookOnline();
  }

  /** Resolves when all workers are replaced. @returns {Promise<void>} */
  whenReloaded() {
    this.#refusesUntil = 0;
    return new Promise((resolve, reject) => {
      this.#reloads.push({ resolve, reject, number: ++this.#reloadCount });
    });
  }

  /** @param {any} event */
  #onStartFailed(event) {
    this.exits.startFailed(event.workerId);
    const last = this.#lastErrors.get(event.workerId);
    this.#lastErrors.delete(event.workerId);
    // Each task has an error of its own, since its caller's frames are added to it.
    const ownError = () => startError(event, this.file, event.bytes ? decodeReport(event.bytes) : last);
    this.#firstFailure ??= ownError;
    // Of a whole row of failures the first is the one to be looked at.
    const makeError = event.turnedAway === null ? ownError : this.#firstFailure;
    if (event.turnedAway !== null) {
      this.#refusesUntil = performance.now() + event.turnedAway;
      this.farm.refuses();
    }
    this.#rejectStarting(makeError);
    // With another worker there or on its way the tasks are in good hands.
    if (event.alone) this.farm.startFailed(makeError);
    else this.farm.emit('workerError', makeError(), { workerId: event.workerId, pid: this.#workers.get(event.workerId)?.pid });
  }

  /** @param {any} event */
  #onExit({ record: raw, planned }) {
    // Whether it was started is a fact of each task, not of the worker.
    const { started, ...record } = exitRecord(raw);
    const { workerId } = record;
    this.#workers.delete(workerId);
    const error = this.#lastErrors.get(workerId);
    const told = this.#told.delete(workerId);
    if (this.#lastErrors.delete(workerId) && !told) this.farm.emit('workerError', error, { workerId, pid: record.pid });
    this.exits.count(record, planned);
    this.farm.emit('exit', { ...record, planned });
  }
}

/**
 * What a listener throws is an uncaught exception, as of every event; what else has come in is told all the same.
 * @param {(name: string, ...args: any[]) => void} emit
 * @returns {typeof emit}
 */
function toldAllTheSame(emit) {
  return (name, ...args) => {
    try {
      emit(name, ...args);
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  };
}

/** @param {Buffer} report the encoding, then the error */
function decodeReport(report) {
  try {
    return decodeError(report[0], report, 1, report.length, null);
  } catch (error) {
    return error;
  }
}

module.exports = { Roster };
