'use strict';

/** Opens the farm for the worker that the command line names. */

const { existsSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { UsageError } = require('./exit');

/**
 * @param {string} worker as given
 * @param {Record<string, any>} options of the farm
 */
function openFarm(worker, options) {
  const { WorkerFarm } = require('../../index.js');
  let failure;
  // In full, because the library looks beside the calling file first, which is this one.
  for (const file of [path.resolve(worker), packageFile(worker)]) {
    if (file === undefined) continue;
    try {
      return new WorkerFarm(file, options);
    } catch (error) {
      const { code, reason } = /** @type {any} */ (error);
      if (code === 'ERR_FARM_OPTION') throw new UsageError(`farm map: ${/** @type {Error} */ (error).message}`);
      if (code !== 'ERR_FARM_START' || reason !== 'resolve') throw error;
      failure ??= error;
    }
  }
  throw new UsageError(`farm map: ${/** @type {Error} */ (failure).message}`);
}

/** @param {string} worker */
function packageFile(worker) {
  if (/^[./]/.test(worker)) return undefined;
  try {
    const file = createRequire(path.join(process.cwd(), 'noop.js')).resolve(worker);
    return path.isAbsolute(file) && existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { openFarm };
