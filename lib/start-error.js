'use strict';

/** ERR_FARM_START: why a worker never came up, with what it said. */

const { FarmError, textOf } = require('./errors');
const { exitRecord, howItEnded, lastWords } = require('./exit-record');

/**
 * @param {{ reason: 'spawn' | 'load' | 'handshake', message: string, record: any }} event
 * @param {string} file the worker module
 * @param {unknown} cause what the worker reported, if anything
 */
function startError({ reason, message, record: raw }, file, cause) {
  const report = /** @type {any} */ (cause);
  // The worker's bootstrap has said it in full.
  if (report?.code === 'ERR_FARM_START') return report;
  const record = raw ? exitRecord(raw) : undefined;
  let text = message;
  if (reason === 'spawn') text = `A worker for ${file} could not be started: ${message}`;
  if (text === '' && report !== undefined) text = `The worker module ${file} could not be set up: ${textOf(report?.message ?? report)}`;
  if (text === '' && record !== undefined) text = `A worker for ${file} ${howItFailed(record)}${lastWords(record)}`;
  const details = { ...record, reason, file };
  return new FarmError('ERR_FARM_START', text, cause === undefined ? details : { ...details, cause });
}

/** @param {import('./exit-record').ExitRecord} record */
function howItFailed(record) {
  if (record.killedFor === 'startTimeout') return 'was not ready within startTimeout and was killed';
  return `${howItEnded(record)} before it was ready`;
}

/**
 * The error of a task that came while the breaker is open: that of the first start that failed, and how long to wait.
 * @param {any} first
 * @param {number} retryAfter ms
 */
function turnedAway(first, retryAfter) {
  const { name, message, stack, ...details } = first;
  const text = `${message}\n(No worker is started for another ${retryAfter} ms, since several starts in a row have failed.)`;
  return new FarmError('ERR_FARM_START', text, { ...details, cause: first.cause, breaker: 'open', retryAfter });
}

/**
 * What the farm holds for its workers: descriptors and memory, which the system may not have.
 * @template T
 * @param {() => T} make
 * @param {string} file the worker module
 * @returns {T}
 */
function openNative(make, file) {
  try {
    return make();
  } catch (cause) {
    const text = `A farm for ${file} could not be opened: ${/** @type {Error} */ (cause).message}`;
    throw new FarmError('ERR_FARM_START', text, { reason: 'spawn', file, cause });
  }
}

module.exports = { openNative, startError, turnedAway };
