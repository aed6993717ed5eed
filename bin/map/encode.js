'use strict';

/**
 * A result as it is written: text and bytes as they are, other values as a line of JSON.
 * @param {any} value
 * @returns {string | Uint8Array | null} null: nothing is written
 */
function encode(value) {
  if (value === undefined) return null;
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`the result, a ${typeof value}, is not written as JSON`);
  return `${text}\n`;
}

/** @param {string | Uint8Array | null} encoded */
function sizeOf(encoded) {
  return encoded === null ? 0 : encoded.length;
}

module.exports = { encode, sizeOf };
