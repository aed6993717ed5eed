'use strict';

// The value codec of the parent and of the worker. Two encodings behind one face: a fast one for plain data,
// and V8's own serializer for everything else that structured clone carries.

// errors.js is loaded by the first error: a worker starts without.
const { writePlain, writeTask } = require('./codec/plain-write');
const { readPlain } = require('./codec/plain-read');

/** What the bytes hold. The numbers are part of the wire format. */
const KIND = Object.freeze({ UNDEFINED: 0, PLAIN: 1, CLONE: 2, JSON: 3, CUSTOM: 4 });

const NO_BYTES = Buffer.alloc(0);

/**
 * @typedef {object} Encoded valid until the next `encode`
 * @property {number} kind one of KIND
 * @property {Buffer} bytes scratch of the codec; the message is `bytes[start..end)`
 * @property {number} start
 * @property {number} end
 * @property {null | Uint8Array[]} attachments large binary, not copied
 */

/** @type {Encoded} */
const encoded = { kind: KIND.UNDEFINED, bytes: NO_BYTES, start: 0, end: 0, attachments: null };

/** @returns {Encoded} */
function result(kind, bytes, start, end, attachments) {
  encoded.kind = kind;
  encoded.bytes = bytes;
  encoded.start = start;
  encoded.end = end;
  encoded.attachments = attachments;
  return encoded;
}

/**
 * @param {unknown} value
 * @param {string} [root] what an error message calls the value; 'task' means `[method, ...args]`
 * @returns {Encoded}
 */
function encode(value, root = 'value') {
  if (value === undefined) return result(KIND.UNDEFINED, NO_BYTES, 0, 0, null);
  try {
    const plain = writePlain(value);
    return plain === null ? clone(value) : result(KIND.PLAIN, plain.bytes, 0, plain.end, null);
  } catch (cause) {
    throw refused(value, cause, root);
  }
}

/**
 * As `encode([method, ...args], 'task')`; in the common case that array is never made.
 * @param {string} method
 * @param {any[]} args nobody else's
 * @returns {Encoded}
 */
function encodeTask(method, args) {
  try {
    const plain = writeTask(method, args);
    return plain === null ? clone([method, ...args]) : result(KIND.PLAIN, plain.bytes, 0, plain.end, null);
  } catch (cause) {
    throw refused([method, ...args], cause, 'task');
  }
}

/** @param {unknown} value */
function clone(value) {
  // Loaded by the first value that needs it: a worker that only sees plain data starts without.
  const { bytes, attachments } = require('./codec/clone').writeClone(value);
  return result(KIND.CLONE, bytes, 0, bytes.length, attachments);
}

function refused(value, cause, root) {
  if (cause instanceof RangeError && /allocation failed|out of range|too large/i.test(cause.message)) {
    const { FarmError } = require('./errors');
    return new FarmError('ERR_FARM_NO_MEMORY', `There is no memory to encode ${root}: ${cause.message}`, { cause });
  }
  return require('./codec/refusal').notCloneable(value, cause, root);
}

/**
 * @param {number} kind
 * @param {Buffer} bytes the caller's, who will use them again: nothing in the result refers to them
 * @param {number} start
 * @param {number} end
 * @param {null | ArrayBuffer[]} attachments the result may refer to these
 * @returns {unknown}
 */
function decode(kind, bytes, start, end, attachments) {
  if (kind === KIND.UNDEFINED) return undefined;
  try {
    if (kind === KIND.PLAIN) return readPlain(bytes, start, end);
    if (kind === KIND.CLONE) return require('./codec/clone').readClone(bytes.subarray(start, end), attachments);
    if (kind === KIND.JSON) return JSON.parse(bytes.toString('utf8', start, end));
  } catch (cause) {
    throw badData(cause);
  }
  throw badData(new RangeError(`there is no encoding with number ${kind}`));
}

function badData(cause) {
  const { FarmError } = require('./errors');
  return new FarmError('ERR_FARM_BAD_DATA', `What the other process sent could not be decoded: ${cause.message}`, { cause });
}

/**
 * @param {unknown} error whatever was thrown
 * @returns {Encoded}
 */
function encodeError(error) {
  return require('./codec/thrown').encodeError(error, encode);
}

/**
 * @param {Record<string, Function>} [registry] error classes of the user, by name
 * @returns {unknown} what to reject with
 */
function decodeError(kind, bytes, start, end, attachments, registry) {
  return require('./codec/thrown').decodeError(decode(kind, bytes, start, end, attachments), registry);
}

/**
 * @param {string} [option] 'default', 'json', or the file of a codec module
 * @returns {{encode: typeof encode, encodeTask: typeof encodeTask, decode: typeof decode}}
 */
function makeCodec(option = 'default') {
  if (option === 'default') return { encode, encodeTask, decode };
  const chosen = require('./codec/chosen').makeChosen(option, { KIND, result, decode });
  return { ...chosen, encodeTask: (method, args) => chosen.encode([method, ...args], 'task') };
}

let rehearsed = false;

/** V8 compiles a function at its first call. Whoever has to wait anyway does that before somebody waits for it. */
function rehearse() {
  if (rehearsed) return;
  rehearsed = true;
  const { kind, bytes, start, end } = encodeTask('', [0]);
  decode(kind, bytes, start, end, null);
  encode(0);
}

module.exports = { KIND, encode, encodeTask, decode, encodeError, decodeError, makeCodec, rehearse };
