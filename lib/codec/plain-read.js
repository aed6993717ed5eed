'use strict';

// Reads what plain-write.js writes. The bytes come from another process and may be anything: what does not
// fit is an error, lengths are checked before they are used, and nothing in the result refers to the bytes.

const { put, readerOf } = require('./shapes');
const TOKEN = require('./tokens');

const KEPT_SOURCE = 1 << 20;
const NO_SOURCE = Buffer.alloc(0);

/**
 * The types of Node.js leave these calls out, which are quicker than `toString`.
 * @typedef {Buffer & Record<'latin1Slice' | 'utf8Slice' | 'ucs2Slice', (start: number, end: number) => string>} Source
 */

let bytes = /** @type {Source} */ (NO_SOURCE);
/** @type {DataView} */
let view = new DataView(bytes.buffer);
let position = 0;
let end = 0;
/** What arrays may still promise: every item takes at least one byte. */
let budget = 0;
/** @type {ReturnType<typeof readerOf>[]} */
let shapes = [];
let small = true;

/**
 * @param {Buffer} source
 * @param {number} start
 * @param {number} stop
 * @returns {unknown}
 */
function readPlain(source, start, stop) {
  if (!(start >= 0 && start <= stop && stop <= source.length)) throw new RangeError('the message lies outside of its buffer');
  if (source !== bytes) look(source);
  position = start;
  end = stop;
  budget = stop - start;
  small = budget < SMALL_MESSAGE;
  textEnd = 0;
  if (shapes.length > 0) shapes = [];
  const value = read();
  if (position !== end) throw new RangeError('the message does not end where its value does');
  // The buffer is the caller's; a large one must not live on because it was read last.
  if (source.length > KEPT_SOURCE) look(NO_SOURCE);
  return value;
}

/** @param {Buffer} source */
function look(source) {
  bytes = /** @type {Source} */ (source);
  view = new DataView(source.buffer, source.byteOffset, source.byteLength);
}

function read() {
  if (position >= end) throw tooShort();
  const token = bytes[position++];
  if (token < 0x80) return token;
  if (token < 0xa0) return readShort(token - 0x80);
  if (token < 0xb0) return readArray(token - 0xa0);
  if (token < 0xc0) return readShape(token - 0xb0);
  switch (token) {
    case TOKEN.NULL: return null;
    case TOKEN.UNDEFINED: return undefined;
    case TOKEN.FALSE: return false;
    case TOKEN.TRUE: return true;
    case TOKEN.INT16: return view.getInt16(take(2), true);
    case TOKEN.INT32: return view.getInt32(take(4), true);
    case TOKEN.DOUBLE: return view.getFloat64(take(8), true);
    case TOKEN.DATE: return new Date(view.getFloat64(take(8), true));
    case TOKEN.LATIN: return readLatin(bytes[take(1)]);
    case TOKEN.UTF8: return readUtf8(readCount());
    case TOKEN.UTF16: return readUnits(readCount());
    case TOKEN.ARRAY: return readArray(readCount());
    case TOKEN.SHAPE: return readShape(readCount());
    case TOKEN.DEFINE: return readDefinition();
    case TOKEN.PAIRS: return readPairs(readCount());
    default: throw new RangeError(`byte ${token} starts no value`);
  }
}

/** @param {number} length @returns {number} where the next `length` bytes start */
function take(length) {
  const start = position;
  position += length;
  if (position > end) throw tooShort();
  return start;
}

function tooShort() {
  return new RangeError('the message is cut short');
}

function readCount() {
  return view.getUint32(take(4), true);
}

/** V8 copies the characters of shorter substrings; a longer one would keep the whole window alive. */
const COPIED_SUBSTRING = 13;
/** In a small message one native call for the window would cost more than it saves. */
const SMALL_MESSAGE = 96;
const WINDOW = 16384;

/** A part of the message as text, so that its many short strings are substrings, without a native call each. */
let text = '';
let textStart = 0;
let textEnd = 0;

/** For small messages: the last string of each hash. Names of methods and states come again and again. */
const recent = new Array(512).fill('');

function readShort(length) {
  const start = take(length);
  if (length >= COPIED_SUBSTRING) return bytes.latin1Slice(start, position);
  if (small) return readRecent(start, length);
  if (start < textStart || position > textEnd) {
    textStart = start;
    textEnd = Math.min(start + WINDOW, end);
    text = bytes.latin1Slice(textStart, textEnd);
  }
  return text.slice(start - textStart, position - textStart);
}

function readRecent(start, length) {
  let hash = length;
  for (let i = start; i < position; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  const slot = (hash ^ (hash >>> 9)) & 511;
  const known = recent[slot];
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const fresh = bytes.latin1Slice(start, position);
  recent[slot] = fresh;
  return fresh;
}

function readLatin(length) {
  const start = take(length);
  return bytes.latin1Slice(start, position);
}

function readUtf8(length) {
  const start = take(length);
  return bytes.utf8Slice(start, position);
}

function readUnits(length) {
  const start = take(2 * length);
  return bytes.ucs2Slice(start, position);
}

function readArray(length) {
  budget -= length;
  if (budget < 0) throw tooShort();
  const array = new Array(length);
  for (let i = 0; i < length; i++) array[i] = read();
  return array;
}

function readShape(number) {
  const shape = shapes[number];
  if (shape === undefined) throw new RangeError(`shape ${number} is not defined`);
  return shape.make(read);
}

function readDefinition() {
  const length = readCount();
  const hash = view.getInt32(take(4), true);
  const start = take(length);
  const reader = readerOf(bytes, start, position, hash);
  shapes.push(reader);
  return reader.make(read);
}

function readKey() {
  const key = read();
  if (typeof key !== 'string') throw new TypeError('a key is no string');
  return key;
}

function readPairs(count) {
  const object = {};
  for (let i = 0; i < count; i++) put(object, readKey(), read());
  return object;
}

module.exports = { readPlain };
