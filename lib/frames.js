'use strict';

/** What else comes out of the native side than results: errors of tasks, and news about workers. */

const { decodeError } = require('./codec');
const outcome = require('./outcome');

/** transport/frame.rs. */
const ERROR = 2;

/**
 * The error that a frame stands for: what the task has thrown, or one of farm's own.
 * @param {number} tag
 * @param {number} kind
 * @param {Buffer} bytes
 * @param {number} from
 * @param {number} end
 * @param {ArrayBuffer[] | null} attachments
 * @param {any} task its limits
 * @param {(workerId: number) => unknown} causeOf
 */
// eslint-disable-next-line max-params
function errorOf(tag, kind, bytes, from, end, attachments, task, causeOf) {
  if (tag !== ERROR) return outcome.farmError(tag, from === end ? '' : bytes.toString('utf8', from, end), task, causeOf);
  try {
    return decodeError(kind, bytes, from, end, attachments);
  } catch (error) {
    return error;
  }
}

/** @param {[string, (Buffer | null)[]]} news */
function readNews([json, bytes]) {
  const list = JSON.parse(json);
  list.forEach((/** @type {any} */ event, /** @type {number} */ index) => {
    event.bytes = bytes[index];
  });
  return list.filter(Boolean);
}

module.exports = { errorOf, readNews };
