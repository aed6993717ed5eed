'use strict';

/**
 * `require('farm/worker')`: the context of the running task, for code inside a worker.
 *
 * Nothing of the worker's machinery is loaded here, so that a module which is used both in a worker and outside of it
 * can require this file anywhere; only the use outside of a worker is an error.
 */

const { FarmError } = require('../errors');

const FACE = Symbol.for('farm.worker.context');

// In a worker: from the next task on, what a task leaves behind is told apart from it.
/** @type {any} */ (globalThis)[FACE]?.isRead?.();

/** @param {string} name */
function faceFor(name) {
  const face = /** @type {any} */ (globalThis)[FACE];
  if (face !== undefined) return face;
  throw new FarmError(
    'ERR_FARM_UNSUPPORTED',
    `farm/worker: "${name}" is there only inside a worker of a farm, and this process (${process.pid}) is none`,
  );
}

// An import statement takes the value of a CommonJS getter once, at link time. So only names whose value never changes
// during the life of a worker are written in the form that Node detects as named exports; the others are found on the
// default import, where they stay live.
exports.emit = /** @param {unknown} value */ (value) => faceFor('emit').emit(value);
exports.workerId = 0;
exports.workerData = undefined;

for (const name of ['signal', 'cancelled', 'attempt', 'method', 'workerId', 'workerData']) {
  Object.defineProperty(exports, name, {
    configurable: true,
    enumerable: true,
    get: () => faceFor(name)[name],
  });
}
