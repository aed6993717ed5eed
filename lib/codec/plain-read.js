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
/** In a small text one native call for the window would cost more than it saves. */
let small = true;

/** The text of the message: what of it is next, where it ends, bytes per character. */
let textAt = 0;
let textEnd = 0;
let unit = 1;
/** A part of it as a string, so that its many short strings are substrings, without a native call each. */
let text = '';
let windowStart = 0;
let windowEnd = 0;
const WINDOW = 16384;
/** V8 copies the characters of shorter substrings; a longer one would keep the whole text alive. */
const COPIED_SUBSTRING = 13;
const SMALL_TEXT = 48;
/** For small messages: the last string of each hash. Names of methods and states come again and again. */
const recent = new Array(512).fill('');

/**
 * @param {Buffer} source
 * @param {number} start
 * @param {number} stop
 * @returns {unknown}
 */
function readPlain(source, start, stop) {
  if (!(start >= 0 && start < stop && stop <= source.length)) throw new RangeError('the message lies outside of its buffer');
  // A small number, no text.
  if (stop - start === 2 && source[start] < 0x80 && source[start + 1] === 0) return source[start];
  if (source !== bytes) look(source);
  position = start;
  end = stop;
  findText();
  budget = end - start;
  if (shapes.length > 0) shapes = [];
  const value = read();
  if (position !== end || textAt !== textEnd) throw new RangeError('the message does not end where its value does');
  // Large ones must not live on because they were read last; the buffer is the caller's.
  text = '';
  if (source.length > KEPT_SOURCE) look(NO_SOURCE);
  return value;
}

/** The text is behind the value, its length behind the text. */
function findText() {
  const last = bytes[--end];
  let size = last;
  unit = last === TOKEN.WIDE_TEXT ? 2 : 1;
  if (last >= TOKEN.LATIN_TEXT) {
    end -= 4;
    if (end < position) throw tooShort();
    size = view.getUint32(end, true);
  }
  textEnd = end;
  end -= size;
  if (end < position) throw tooShort();
  textAt = end;
  windowStart = windowEnd = textAt;
  small = size <= SMALL_TEXT;
}

/** @param {number} from @param {number} to */
function textOf(from, to) {
  return unit === 1 ? bytes.latin1Slice(from, to) : bytes.ucs2Slice(from, to);
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
  if (token < 0xa0) return readString(token - 0x80);
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
    case TOKEN.STRING: return readString(bytes[take(1)]);
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

/** @param {number} length in characters */
function readString(length) {
  const start = textAt;
  textAt += length * unit;
  if (textAt > textEnd) throw tooShort();
  if (length >= COPIED_SUBSTRING) return textOf(start, textAt);
  if (small) return unit === 1 ? readRecent(start, length) : textOf(start, textAt);
  if (textAt > windowEnd) {
    windowStart = start;
    windowEnd = Math.min(start + WINDOW, textEnd);
    text = textOf(start, windowEnd);
  }
  if (unit === 1) return text.slice(start - windowStart, textAt - windowStart);
  return text.slice((start - windowStart) / 2, (textAt - windowStart) / 2);
}

function readRecent(start, length) {
  const stop = start + length;
  let hash = length;
  for (let i = start; i < stop; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  const slot = (hash ^ (hash >>> 9)) & 511;
  const known = recent[slot];
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const fresh = bytes.latin1Slice(start, stop);
  recent[slot] = fresh;
  return fresh;
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
