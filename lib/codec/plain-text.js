'use strict';

// How the plain encoding writes strings. None is changed on the way: a lone surrogate stays what it is.

const TOKEN = require('./tokens');

/** Longer strings are written by native code, which is slow to call and fast when it runs. */
const SHORT = 64;
/** For longer ones, counting the bytes is better than reserving the most there could be. */
const COUNTED = 20_000;

/** @param {string} text @returns {number} bytes that `putText` may need */
function roomFor(text) {
  const { length } = text;
  if (length <= SHORT) return 2 * length + 16;
  return (length <= COUNTED ? 3 * length : Math.max(2 * length, Buffer.byteLength(text))) + 16;
}

/**
 * @param {Buffer} bytes
 * @param {DataView} view on the same bytes
 * @param {number} position
 * @param {string} text
 * @returns {number} the position after it
 */
function putText(bytes, view, position, text) {
  const { length } = text;
  if (length > SHORT) return putLong(bytes, view, position, text);
  let at = position + (length < 0x20 ? 1 : 2);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) return putUnits(bytes, view, position, text);
    bytes[at++] = unit;
  }
  if (length < 0x20) {
    bytes[position] = TOKEN.SHORT_STRING + length;
  } else {
    bytes[position] = TOKEN.LATIN;
    bytes[position + 1] = length;
  }
  return at;
}

function putLong(bytes, view, position, text) {
  // UTF-8 has no form for a lone surrogate.
  if (!text.isWellFormed()) return putUnits(bytes, view, position, text);
  const length = bytes.utf8Write(text, position + 5);
  bytes[position] = TOKEN.UTF8;
  view.setUint32(position + 1, length, true);
  return position + 5 + length;
}

function putUnits(bytes, view, position, text) {
  const { length } = text;
  bytes[position] = TOKEN.UTF16;
  view.setUint32(position + 1, length, true);
  let at = position + 5;
  if (length > SHORT) return at + bytes.ucs2Write(text, at);
  for (let i = 0; i < length; i++) {
    view.setUint16(at, text.charCodeAt(i), true);
    at += 2;
  }
  return at;
}

module.exports = { roomFor, putText };
