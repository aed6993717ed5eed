'use strict';

/** The settings of a farm as the native side takes them, and what they are when nobody says. */

const { guardProgram } = require('./guard-program');
const { nativeLimits } = require('./limits');
const { nanoseconds } = require('./nanoseconds');
const { workerProgram } = require('./worker-program');

/** Memory that one more worker is reckoned with when nobody says how many there may be. */
const WORKER_BYTES = 64 * 1024 * 1024;
/** The part of the memory this process may use that its tasks' data may take. */
const SHARED_FRACTION = 4;

/**
 * CPUs the process may use, as far as memory allows; a quarter of that memory for data on its way.
 * @param {{ usableCpus: () => number, memoryLimit: () => number }} native
 */
function standardLimits(native) {
  const memory = native.memoryLimit();
  const max = Math.max(1, Math.min(native.usableCpus(), Math.floor(memory / WORKER_BYTES), 1024));
  return { max, maxSharedMemory: Math.floor(memory / SHARED_FRACTION) };
}

/**
 * @param {any} options
 * @param {{ file: string }} source
 * @param {string} addon the file of the native addon
 */
function nativeSettings(options, source, addon) {
  const limit = (/** @type {number} */ ms) => (Number.isFinite(ms) ? nanoseconds(ms) : null);
  return JSON.stringify({
    min: options.min,
    max: options.max,
    lanes: options.fork ? 1 : options.tasksPerWorker,
    idle: limit(options.idleTimeout),
    startAttempts: options.startAttempts,
    spares: options.spares,
    recycle: {
      tasks: options.recycle.tasks ?? null,
      age: options.recycle.age === undefined ? null : nanoseconds(options.recycle.age),
      memory: options.recycle.memory ?? null,
    },
    start: nanoseconds(options.startTimeout),
    grace: nanoseconds(options.grace),
    stopped: limit(options.stoppedTimeout),
    // In a debugger's pause no loop turns.
    stall: options.inspect ? null : limit(options.stallTimeout),
    deaf: options.inspect ? null : limit(options.startTimeout),
    spin: options.spin * 1000,
    maxCrashes: Math.min(options.maxCrashes, 0xffff_ffff),
    views: options.views,
    maxShared: options.maxSharedMemory,
    limits: nativeLimits(options.limits),
    program: workerProgram(options, source, addon),
    stdout: options.stdout,
    stderr: options.stderr,
    guard: options.killTree ? guardProgram(addon) : null,
    fork: options.fork ? { ready: options.ready === undefined ? null : JSON.stringify(options.ready) } : null,
  });
}

module.exports = { standardLimits, nativeSettings };
