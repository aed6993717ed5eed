'use strict';

// Writes plain data in one pass. The first thing that is not plain (see docs/values.md) ends the attempt:
// `writePlain` returns null, and the careful encoding takes the value from its start.
//
// The functions take the position and return the one after what they wrote, or REFUSED: kept in a variable of the
// module, it would be loaded and stored for every byte.

const { shapeOf, likelyShape, expect, putDefinition, putReference, compiledWriter, ODD } = require('./shapes');
const { Text, PIECE, roomForLong, putLong, putNumber } = require('./plain-text');
const { SeenObjects, lookOf } = require('./seen-objects');
const TOKEN = require('./tokens');

const SCRATCH_BYTES = 65536;
const MAX_BYTES = 2 ** 31 - 1;
/** Deeper values are left to V8, which counts its stack. */
const MAX_DEPTH = 400;
/** What is free beyond the limit: enough for the strings, numbers and booleans of one object of a shape. */
const MARGIN = 256;
const REFUSED = -1;

const objectPrototype = Object.prototype;
const { getPrototypeOf, hasOwn } = Object;
const { isView } = ArrayBuffer;
const { isProxy } = require('node:util').types;

/** Where every message starts out; a worker sends what lies in it without another copy. */
const SCRATCH = /** @type {import('./plain-text').Target} */ (Buffer.allocUnsafeSlow(SCRATCH_BYTES));
let bytes = SCRATCH;
let view = new DataView(bytes.buffer);
let limit = SCRATCH_BYTES - MARGIN;
let lastEnd = 0;
let depth = 0;
let busy = false;
let smallMessages = 0;
let message = 0;
let shapeCount = 0;
/** The shape last seen at each depth: neighbours in an array mostly have the same. */
const expected = new Array(MAX_DEPTH + 2).fill(null);
/** Objects of this message so far. */
let objects = 0;
/** There was an object in this message. */
let touched = false;
/** The last message in which somebody looked for what was added to all objects. */
let looked = 0;
/** Of the object written last: where its values start, and a sum of its strings, which are elsewhere. */
let body = 0;
let look = 0;

const seen = new SeenObjects();
const text = new Text();
const written = { bytes, end: 0 };

/**
 * @param {unknown} value
 * @returns {null | {bytes: Buffer, end: number}} one reused object; null if the value is not plain
 */
function writePlain(value) {
  // A getter of the value that is being written encodes another one.
  if (busy) return null;
  if (typeof value === 'number' && bytes === SCRATCH) return finish(putNumber(bytes, view, 0, value));
  begin();
  try {
    return finish(write(value, 0));
  } finally {
    forget();
  }
}

/** As `writePlain([method, ...args])`, without that array. Nobody else has `args`: they do not change meanwhile. */
function writeTask(method, args) {
  if (busy) return null;
  begin();
  try {
    const { length } = args;
    let position = writeString(method, putLength(length + 1, 0));
    depth = 1;
    for (let i = 0; i < length; i++) {
      position = write(args[i], position);
      if (position < 0) return null;
    }
    return finish(position);
  } finally {
    forget();
  }
}

function begin() {
  if (bytes.length > SCRATCH_BYTES) giveBackScratch();
  busy = true;
  depth = 0;
  message++;
  shapeCount = 0;
  objects = 0;
}

/** @param {number} end where the value ends; its text follows */
function finish(end) {
  if (end < 0) return null;
  const room = text.room();
  if (end + room > limit) grow(end, room);
  lastEnd = text.write(bytes, view, end);
  written.bytes = bytes;
  written.end = lastEnd;
  return written;
}

/** Nothing of a message stays alive, nor gets into the next one. */
function forget() {
  busy = false;
  // Only where there was an object is there one to forget.
  if (touched) seen.clear();
  touched = false;
  text.forget();
}

/** Large scratch is kept while it is in use, so that a row of large messages allocates once. */
function giveBackScratch() {
  smallMessages = lastEnd > SCRATCH_BYTES ? 0 : smallMessages + 1;
  if (smallMessages < 100) return;
  smallMessages = 0;
  setScratch(SCRATCH);
}

function setScratch(buffer) {
  bytes = buffer;
  view = new DataView(buffer.buffer);
  limit = buffer.length - MARGIN;
}

function grow(position, needed) {
  // Beyond this, native code that writes strings stops short without a word.
  if (position + needed + MARGIN > MAX_BYTES) throw new RangeError('the message would be too large, 2 GiB is the most');
  const larger = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(bytes.length * 2, position + needed + MARGIN)));
  bytes.copy(larger, 0, 0, position);
  setScratch(larger);
}

/** @param {unknown} value @param {number} position @returns {number} */
function write(value, position) {
  if (position > limit) grow(position, 0);
  // Not a `switch`, for which V8 makes the name of the type.
  if (typeof value === 'string') return writeString(value, position);
  if (typeof value === 'number') return writeNumber(value, position);
  if (typeof value === 'object') {
    if (value !== null) {
      const end = writeObject(value, position);
      if (end > limit) grow(end, 0);
      return end;
    }
    bytes[position] = TOKEN.NULL;
    return position + 1;
  }
  if (typeof value === 'boolean') {
    bytes[position] = value ? TOKEN.TRUE : TOKEN.FALSE;
    return position + 1;
  }
  if (value !== undefined) return REFUSED;
  bytes[position] = TOKEN.UNDEFINED;
  return position + 1;
}

function writeString(string, position) {
  const { length } = string;
  if (length === 0) {
    bytes[position] = TOKEN.SHORT_STRING;
    return position + 1;
  }
  look = (Math.imul(look, 31) + string.charCodeAt(length - 1)) | 0;
  if (length > text.longest) return writeLong(string, position);
  text.piece += string;
  if (text.piece.length > PIECE) text.endPiece();
  if (length < 0x20) {
    bytes[position] = TOKEN.SHORT_STRING + length;
    return position + 1;
  }
  bytes[position] = TOKEN.STRING;
  bytes[position + 1] = length;
  return position + 2;
}

function writeLong(string, position) {
  const room = roomForLong(string);
  if (position + room > limit) grow(position, room);
  return putLong(bytes, view, position, string);
}

function writeNumber(value, position) {
  return putNumber(bytes, view, position, value);
}

function writeObject(object, start) {
  touched = true;
  if (++depth > MAX_DEPTH || !seen.enter(object, depth)) return REFUSED;
  const before = objects;
  look = 0;
  const end = Array.isArray(object) ? writeArray(object, start) : writeProperties(object, start);
  if (end < 0) return REFUSED;
  // A second reference to an object is for the careful encoding, which can say so. It is a second reference to the
  // innermost objects in it too, and those are met first: only they have to be remembered.
  if (objects++ === before && depth > 1 && !seen.add(object, lookOf(bytes, view, body, end, look))) return REFUSED;
  depth--;
  return end;
}

function writeArray(array, start) {
  // In this order the second is free: V8 knows the prototype once it has looked for a property.
  if (array.index !== undefined || getPrototypeOf(array) !== Array.prototype || isProxy(array)) return REFUSED;
  const { length } = array;
  let position = body = putLength(length, start);
  for (let i = 0; i < length; i++) {
    const item = array[i];
    if (item === undefined && !hasOwn(array, i)) return REFUSED;
    position = write(item, position);
    if (position < 0) return REFUSED;
  }
  return array.length === length ? position : REFUSED;
}

function putLength(length, position) {
  if (length < 0x10) {
    bytes[position] = TOKEN.SHORT_ARRAY + length;
    return position + 1;
  }
  bytes[position] = TOKEN.ARRAY;
  view.setUint32(position + 1, length, true);
  return position + 5;
}

function writeProperties(object, start) {
  if (looked !== message) {
    // Loops over keys would see what somebody added to all objects.
    for (const _ in objectPrototype) return REFUSED;
    looked = message;
  }
  // Before anything goes over its keys: those of a Buffer are its indices, a string for each byte.
  if (isView(object)) return REFUSED;
  let shape = likelyShape(expected, depth, object);
  if (shape !== null && shape.message === message && shape.write !== null && !isProxy(object)) {
    const end = shape.write(object, body = putReference(bytes, view, start, shape.number));
    if (end !== ODD) return end;
  }
  const prototype = getPrototypeOf(object);
  if (prototype !== objectPrototype && prototype !== null) {
    return prototype === Date.prototype ? writeDate(object, start) : REFUSED;
  }
  if (isProxy(object)) return REFUSED;
  if (shape === null) {
    shape = shapeOf(object);
    if (shape === null) return writePairs(object, start);
    expect(expected, depth, shape);
  }
  // A function made for the keys is faster, and several dozen objects have to pay for it.
  if (++shape.uses === 32) shape.write = compiledWriter(shape.keys, { write, writeString, writeNumber });
  let position = shape.message === message ? putReference(bytes, view, start, shape.number) : define(shape, start);
  body = position;
  let count = 0;
  for (const key in object) {
    position = write(object[key], position);
    if (position < 0) return REFUSED;
    count++;
  }
  // A getter may have removed a property that the shape has promised.
  return count === shape.keys.length ? position : REFUSED;
}

function writeDate(date, position) {
  bytes[position] = TOKEN.DATE;
  body = position;
  try {
    view.setFloat64(position + 1, Date.prototype.getTime.call(date), true);
  } catch {
    return REFUSED;
  }
  return position + 9;
}

function writePairs(object, start) {
  const keys = Object.keys(object);
  bytes[start] = TOKEN.PAIRS;
  view.setUint32(start + 1, keys.length, true);
  let position = body = start + 5;
  for (const key of keys) {
    position = write(object[key], write(key, position));
    if (position < 0) return REFUSED;
  }
  return position;
}

/** The first object of its shape in this message brings the keys along. */
function define(shape, position) {
  shape.message = message;
  shape.number = shapeCount++;
  if (position + shape.definition.length > limit) grow(position, shape.definition.length);
  return putDefinition(bytes, view, position, shape);
}

module.exports = { writePlain, writeTask, SCRATCH };
