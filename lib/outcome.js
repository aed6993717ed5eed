'use strict';

/**
 * Farm's own errors of a task: what the native side says in a tag and a record, in words for the person who gets it.
 */

const { FarmError } = require('./errors');
const { exitRecord, howItEnded, lastWords } = require('./exit-record');

/** Kinds of settlement that no worker sent; engine/farm and transport/frame.rs. */
const EXPIRED = 6;
const NO_MEMORY_FOR_RESULT = 7;
const LOST = 10;
const TIMED_OUT = 11;
const NO_MEMORY = 12;
const CLOSED = 13;
/** It waited for its next try, and gets none. */
const NOT_RETRIED = 14;

/** In which word of `stats().tasks` a task has ended that has no result. @type {Record<number, string>} */
const STATUS = { [EXPIRED]: 'queueTimedOut', [NO_MEMORY_FOR_RESULT]: 'noMemory', [LOST]: 'lost', [TIMED_OUT]: 'timedOut', [NO_MEMORY]: 'noMemory', [CLOSED]: 'closed' };

/** @param {number} tag of a frame */
function statusOf(tag) {
  return STATUS[tag] ?? 'failed';
}

/**
 * What the task had to do with it.
 * @param {import('./exit-record').ExitRecord} record
 */
function itsTask(record) {
  if (record.quarantined) return '. It ran this task, which has ended too many workers to be tried again (maxCrashes)';
  if (record.collateral) return '. It also ran this task';
  return record.started === false ? ' before it started the task' : ' while it ran the task';
}

/**
 * @param {any} raw
 * @param {string} method
 * @param {(workerId: number) => unknown} causeOf
 */
function lost(raw, method, causeOf) {
  const known = raw.pid > 0;
  const { workerId, pid, ...rest } = exitRecord(raw);
  const who = known ? `Worker ${workerId} (pid ${pid})` : 'The worker';
  const message = `${who} ${howItEnded(/** @type {any} */ (rest))}${itsTask(/** @type {any} */ (rest))}${lastWords(/** @type {any} */ (rest))}`;
  const record = known ? { workerId, pid, method, ...rest } : { method, ...rest };
  const cause = known ? causeOf(workerId) : undefined;
  const code = record.limit === undefined ? 'ERR_FARM_WORKER_EXIT' : 'ERR_FARM_LIMIT';
  return new FarmError(code, message, cause === undefined ? record : { ...record, cause });
}

/** @param {{ queueTimeout: number }} task */
function queueTimeout({ queueTimeout: ms }) {
  return new FarmError('ERR_FARM_QUEUE_TIMEOUT', `The task waited longer than its queueTimeout of ${ms} ms for a worker; it was not started`, { queueTimeout: ms });
}

/**
 * @param {string} method
 * @param {number} [size]
 */
function noMemory(method, size) {
  const what = size === undefined ? 'the arguments of the task' : `arguments of ${size} bytes`;
  return new FarmError('ERR_FARM_NO_MEMORY', `There is no shared memory for ${what}; see the option maxSharedMemory`, { method });
}

/** @param {number} maxQueue */
function queueFull(maxQueue) {
  const waiting = maxQueue === 0 ? 'Every worker has its task, and none may wait' : `${maxQueue} tasks wait already`;
  return new FarmError('ERR_FARM_QUEUE_FULL', `${waiting} (maxQueue); the task was not taken`, { maxQueue });
}

function closed() {
  return new FarmError('ERR_FARM_CLOSED', 'The farm is closed');
}

/** The farm has ended by a fault of the thread that watches its workers. @param {string} message what that says */
function failed(message) {
  const what = `The farm is closed: its supervisor has failed (${message}). Its workers are killed, and what they ran may have had effects; a new farm can be made`;
  return new FarmError('ERR_FARM_CLOSED', what, { reason: 'supervisor' });
}

/**
 * @param {number} tag
 * @param {string} text JSON of the record, or ''
 * @param {any} task its limits
 * @param {(workerId: number) => unknown} causeOf
 */
function farmError(tag, text, task, causeOf) {
  switch (tag) {
    case LOST:
      return lost(JSON.parse(text), task.method, causeOf);
    case TIMED_OUT:
      return new FarmError('ERR_FARM_TASK_TIMEOUT', `The task ran longer than its timeout of ${task.timeout} ms`, { timeout: task.timeout });
    case EXPIRED:
      return queueTimeout(task);
    case NO_MEMORY_FOR_RESULT:
      return new FarmError('ERR_FARM_NO_MEMORY', 'There is no shared memory for the result of the task', { method: task.method });
    case NO_MEMORY:
      return noMemory(task.method);
    case CLOSED:
      return closed();
    default:
      return new FarmError('ERR_FARM_BAD_DATA', `The task was settled in an unknown way (${tag})`);
  }
}

module.exports = { NOT_RETRIED, statusOf, farmError, queueTimeout, queueFull, noMemory, closed, failed };
