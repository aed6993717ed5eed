'use strict';

/** Why a task is to stop, on its way into `ctx.signal` of its worker. */

const { decodeError, encode, encodeError } = require('./codec');

/** What is larger stays here; the mailbox of a worker has 4 KiB. */
const MOST_BYTES = 2048;

/**
 * @param {unknown} reason of the caller's signal
 * @returns {Buffer | undefined} undefined where the worker makes an AbortError of its own
 */
function encodeReason(reason) {
  try {
    // The usual one says no more than that.
    if (/** @type {any} */ (reason)?.name === 'AbortError') return undefined;
    // Throws for what cannot be carried, of which encodeError makes an error of its own.
    if (!isError(reason)) encode(reason, 'result');
    const { kind, bytes, start, end, attachments } = encodeError(reason);
    if (attachments !== null || end - start >= MOST_BYTES) return undefined;
    return Buffer.concat([Buffer.of(kind), bytes.subarray(start, end)]);
  } catch {
    return undefined;
  }
}

/** Also of another realm, as under Jest. @param {unknown} reason */
function isError(reason) {
  return require('node:util').types.isNativeError(reason) || reason instanceof Error;
}

/** @param {Buffer} bytes */
function decodeReason(bytes) {
  try {
    return decodeError(bytes[0], bytes, 1, bytes.length, null);
  } catch {
    return undefined;
  }
}

/** As the signals of AbortSignal.timeout() say it. */
function timeoutReason() {
  return new DOMException('The task ran longer than its timeout', 'TimeoutError');
}

module.exports = { encodeReason, decodeReason, timeoutReason };
