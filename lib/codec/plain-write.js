'use strict';

// Writes plain data in one pass. The first thing that is not plain (see docs/values.md) ends the attempt:
// `writePlain` returns null, and the careful encoding takes the value from its start.

const { shapeOf, hasKeys } = require('./shapes');
const { roomFor, putText } = require('./plain-text');
const { SeenObjects } = require('./seen-objects');
const TOKEN = require('./tokens');

const SCRATCH_BYTES = 65536;
const MAX_BYTES = 2 ** 31 - 1;
/** Deeper values are left to V8, which counts its stack. */
const MAX_DEPTH = 400;

const objectPrototype = Object.prototype;
const datePrototype = Date.prototype;
const { getPrototypeOf, hasOwn } = Object;
const { isProxy } = require('node:util').types;

let bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
let view = new DataView(bytes.buffer);
let limit = SCRATCH_BYTES;
let position = 0;
let depth = 0;
let busy = false;
let smallMessages = 0;
let lastMessage = 0;
let message = 0;
let shapeCount = 0;
/** The shape last seen at each depth: neighbours in an array mostly have the same. */
let expected = new Array(MAX_DEPTH + 2).fill(null);

let seen = new SeenObjects();

const written = { bytes, end: 0 };

/**
 * @param {unknown} value
 * @returns {null | {bytes: Buffer, end: number}} one reused object; null if the value is not plain
 */
function writePlain(value) {
  // Loops over keys would see what somebody added to all objects.
  for (const _ in objectPrototype) return null;
  if (busy) return writeNested(value);
  if (limit > SCRATCH_BYTES) giveBackScratch();
  busy = true;
  position = 0;
  depth = 0;
  message = ++lastMessage;
  shapeCount = 0;
  try {
    if (!write(value)) return null;
    written.bytes = bytes;
    written.end = position;
    return written;
  } finally {
    busy = false;
    seen.clear();
  }
}

/** A getter of the value that is being written encodes another one. */
function writeNested(value) {
  const saved = { bytes, view, limit, position, depth, message, shapeCount, expected, seen };
  busy = false;
  expected = new Array(MAX_DEPTH + 2).fill(null);
  seen = new SeenObjects();
  setScratch(Buffer.allocUnsafeSlow(SCRATCH_BYTES));
  try {
    const inner = writePlain(value);
    return inner && { bytes: inner.bytes, end: inner.end };
  } finally {
    busy = true;
    ({ bytes, view, limit, position, depth, message, shapeCount, expected, seen } = saved);
  }
}

/** Large scratch is kept while it is in use, so that a row of large messages allocates once. */
function giveBackScratch() {
  smallMessages = position > SCRATCH_BYTES ? 0 : smallMessages + 1;
  if (smallMessages < 100) return;
  smallMessages = 0;
  setScratch(Buffer.allocUnsafeSlow(SCRATCH_BYTES));
}

function setScratch(buffer) {
  bytes = buffer;
  view = new DataView(buffer.buffer);
  limit = buffer.length;
}

function reserve(needed) {
  if (position + needed > limit) grow(needed);
}

function grow(needed) {
  // Beyond this, native code that writes strings stops short without a word.
  if (position + needed > MAX_BYTES) throw new RangeError('the message would be too large, 2 GiB is the most');
  const larger = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(limit * 2, position + needed)));
  bytes.copy(larger, 0, 0, position);
  setScratch(larger);
}

/** @param {unknown} value @returns {boolean} false if it is not plain */
function write(value) {
  reserve(16);
  switch (typeof value) {
    case 'string':
      reserve(roomFor(value));
      position = putText(bytes, view, position, value);
      return true;
    case 'number':
      writeNumber(value);
      return true;
    case 'object':
      if (value !== null) return writeObject(value);
      bytes[position++] = TOKEN.NULL;
      return true;
    case 'boolean':
      bytes[position++] = value ? TOKEN.TRUE : TOKEN.FALSE;
      return true;
    case 'undefined':
      bytes[position++] = TOKEN.UNDEFINED;
      return true;
    default:
      return false;
  }
}

function writeNumber(value) {
  // -0 is no integer here: it is written with its sign, as a double.
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0 && value < 0x80) {
      bytes[position++] = value;
    } else if (value >= -0x8000 && value < 0x8000) {
      bytes[position] = TOKEN.INT16;
      bytes[position + 1] = value;
      bytes[position + 2] = value >> 8;
      position += 3;
    } else {
      bytes[position] = TOKEN.INT32;
      view.setInt32(position + 1, value, true);
      position += 5;
    }
    return;
  }
  bytes[position] = TOKEN.DOUBLE;
  view.setFloat64(position + 1, value, true);
  position += 9;
}

function writeObject(object) {
  // A second reference to an object is for the careful encoding, which can say so; so is a cycle.
  if (++depth > MAX_DEPTH || !seen.add(object)) return false;
  const done = Array.isArray(object) ? writeArray(object) : writeProperties(object);
  depth--;
  return done;
}

function writeArray(array) {
  if (getPrototypeOf(array) !== Array.prototype || array.index !== undefined || isProxy(array)) return false;
  const { length } = array;
  if (length < 0x10) {
    bytes[position++] = TOKEN.SHORT_ARRAY + length;
  } else {
    bytes[position] = TOKEN.ARRAY;
    view.setUint32(position + 1, length, true);
    position += 5;
  }
  for (let i = 0; i < length; i++) {
    const item = array[i];
    if (item === undefined && !hasOwn(array, i)) return false;
    if (!write(item)) return false;
  }
  return array.length === length;
}

function writeProperties(object) {
  const prototype = getPrototypeOf(object);
  if (prototype !== objectPrototype && prototype !== null) {
    if (prototype !== datePrototype) return false;
    return writeDate(object);
  }
  if (isProxy(object)) return false;
  let shape = expected[depth];
  if (shape === null || !hasKeys(object, shape.keys)) {
    shape = shapeOf(object);
    if (shape === null) return writePairs(object);
    expected[depth] = shape;
  }
  if (shape.message !== message) {
    define(shape);
  } else if (shape.number < 0x10) {
    bytes[position++] = TOKEN.SHORT_SHAPE + shape.number;
  } else {
    bytes[position] = TOKEN.SHAPE;
    view.setUint32(position + 1, shape.number, true);
    position += 5;
  }
  let count = 0;
  for (const key in object) {
    if (!write(object[key])) return false;
    count++;
  }
  // A getter may have removed a property that the shape has promised.
  return count === shape.keys.length;
}

function writeDate(date) {
  bytes[position] = TOKEN.DATE;
  let time;
  try {
    time = datePrototype.getTime.call(date);
  } catch {
    return false;
  }
  view.setFloat64(position + 1, time, true);
  position += 9;
  return true;
}

function writePairs(object) {
  const keys = Object.keys(object);
  bytes[position] = TOKEN.PAIRS;
  view.setUint32(position + 1, keys.length, true);
  position += 5;
  for (const key of keys) {
    if (!write(key) || !write(object[key])) return false;
  }
  return true;
}

/** The first object of its shape in this message brings the keys along. */
function define(shape) {
  shape.message = message;
  shape.number = shapeCount++;
  const { definition } = shape;
  const { length } = definition;
  reserve(length + 32);
  bytes[position] = TOKEN.DEFINE;
  view.setUint32(position + 1, length, true);
  view.setInt32(position + 5, shape.hash, true);
  position += 9;
  if (length > 64) bytes.set(definition, position);
  else for (let i = 0; i < length; i++) bytes[position + i] = definition[i];
  position += length;
}

module.exports = { writePlain };
