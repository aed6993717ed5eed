'use strict';

/** What `farm.stats()` tells: the native side's figures and the workers' ends, in the words and units of the public face. */

/** Why tasks are given up on this side; `End::given_up` of engine/farm/stats.rs. */
const GIVEN_UP = { cancelled: 0, notStarted: 1, closed: 2 };
const GIVEN_UP_AS = Object.keys(GIVEN_UP);
const NS_PER_MS = 1e6;
const TIMES = /** @type {const} */ (['mean', 'min', 'max', 'p50', 'p90', 'p99', 'p999']);

/** Workers that have ended, by cause. */
class ExitCounts {
  /** @type {Record<string, number>} */
  #counts = {};
  /** Workers whose failed start is counted; their exit is no second one. @type {Set<number>} */
  #failed = new Set();

  /** @param {number} workerId */
  startFailed(workerId) {
    this.#failed.add(workerId);
    this.#add('start');
  }

  /**
   * @param {import('./exit-record').ExitRecord} record
   * @param {boolean} planned
   */
  count({ workerId, killedFor, retiredFor, verdict }, planned) {
    if (this.#failed.delete(workerId)) return;
    // One that was told to leave and had to be helped, as most fork scripts must, has still left for that reason.
    const left = killedFor ? killedFor === 'close' : planned;
    this.#add(left && retiredFor ? retiredFor : verdict);
  }

  /** @param {string} cause */
  #add(cause) {
    this.#counts[cause] = (this.#counts[cause] ?? 0) + 1;
  }

  list() {
    return { ...this.#counts };
  }
}

/** @param {number} ns */
function ms(ns) {
  return Math.round(ns / 1000) / 1000;
}

/** @param {any} raw times in ns, or null where nothing was measured */
function histogram(raw) {
  const times = Object.fromEntries(TIMES.map((name) => [name, raw === null ? 0 : ms(raw[name])]));
  return { count: raw === null ? 0 : raw.count, ...times };
}

/**
 * @param {string} state of the farm
 * @param {{ list: () => any[], exits: ExitCounts }} roster
 * @param {any} figures of the native side; engine/farm/figures.rs
 */
function farmStats(state, roster, figures) {
  const { open, waiting, held, resting, running, times, workers, sharedBytes, viewBytes, touchedBytes, surplus, rescued } = figures;
  const { ends } = times;
  const byId = new Map(workers.map((/** @type {any} */ each) => [each.workerId, each]));
  const settled = Object.values(ends).reduce((sum, count) => sum + count, 0);
  return {
    state,
    workers: roster.list().map((worker) => ({ ...worker, ...usage(byId.get(worker.workerId)) })),
    tasks: { open, waiting, held, resting, running, settled, ...ends, retried: times.retried },
    run: histogram(times.run),
    wait: histogram(times.wait),
    exits: roster.exits.list(),
    memory: { shared: sharedBytes, views: viewBytes, resident: touchedBytes },
    surplusMessages: surplus,
    rescuedWakeups: rescued,
  };
}

/** @param {any} figures of one worker; undefined for one that is not known there any more */
function usage({ activity = null, spare = false, tasks = 0, running = 0, cpu = 0, memory = 0 } = {}) {
  return { activity: activity ?? 'idle', spare, tasks, running, cpu: Math.round((cpu ?? 0) / NS_PER_MS), memory: memory ?? 0 };
}

module.exports = { GIVEN_UP, GIVEN_UP_AS, ExitCounts, farmStats };
