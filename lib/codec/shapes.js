'use strict';

// Objects with the same keys in the same order share a shape. A message names a shape's keys once; what the
// two sides remember of it between messages only saves them work and is never needed to read a message.

const TOKEN = require('./tokens');

/** Objects with more keys than this are written key by key. */
const MAX_KEYS = 24;
/** Shapes remembered at a time; with more, both sides start their memory anew. */
const MAX_SHAPES = 1000;

class Shape {
  /** @param {string[]} keys */
  constructor(keys) {
    this.keys = keys;
    /** The message in which the shape was last defined, and its number there. */
    this.message = 0;
    this.number = 0;
    this.uses = 0;
    /** @type {null | ((object: object, position: number) => number)} writes the values of an object */
    this.write = null;
    /** @type {Shape | null} the other shape that was met after this one, in the same place */
    this.next = null;
    /** The keys as bytes. JSON keeps every string whole, lone surrogates too. */
    this.definition = Buffer.from(JSON.stringify(keys));
    /** Only a hint for the reader, who compares the bytes. */
    this.hash = hashOf(this.definition);
  }
}

function hashOf(definition) {
  let hash = 0;
  for (const byte of definition) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}

class Node {
  constructor() {
    /** @type {Map<string, Node>} */
    this.next = new Map();
    /** @type {Shape | null} */
    this.shape = null;
  }
}

let root = new Node();
let nodes = 0;

/**
 * @param {object} object
 * @returns {Shape | null} null if it has too many keys
 */
function shapeOf(object) {
  if (nodes > MAX_SHAPES * 8) {
    root = new Node();
    nodes = 0;
  }
  let node = root;
  let count = 0;
  for (const key in object) {
    if (++count > MAX_KEYS) return null;
    let next = node.next.get(key);
    if (next === undefined) {
      next = new Node();
      nodes++;
      node.next.set(key, next);
    }
    node = next;
  }
  if (node.shape === null) {
    const keys = [];
    for (const key in object) keys.push(key);
    node.shape = new Shape(keys);
  }
  return node.shape;
}

/** @param {object} object @param {string[]} keys @returns {boolean} whether it has just these, in this order */
function hasKeys(object, keys) {
  let i = 0;
  for (const key in object) {
    if (key !== keys[i]) return false;
    i++;
  }
  return i === keys.length;
}

/**
 * Most objects have the shape of the one before, or the one that came after that last time.
 * @param {Array<Shape | null>} expected by depth
 * @param {number} depth
 * @param {object} object
 * @returns {Shape | null} the shape of the object, if it is one of these
 */
function likelyShape(expected, depth, object) {
  const last = expected[depth];
  if (last === null || hasKeys(object, last.keys)) return last;
  const { next } = last;
  if (next === null || !hasKeys(object, next.keys)) return null;
  expected[depth] = next;
  return next;
}

/** @param {Array<Shape | null>} expected @param {number} depth @param {Shape} shape */
function expect(expected, depth, shape) {
  const last = expected[depth];
  if (last !== null) last.next = shape;
  expected[depth] = shape;
}

/** @param {Buffer} bytes @param {DataView} view @param {number} position @param {number} number @returns {number} */
function putReference(bytes, view, position, number) {
  if (number < 0x10) {
    bytes[position] = TOKEN.SHORT_SHAPE + number;
    return position + 1;
  }
  bytes[position] = TOKEN.SHAPE;
  view.setUint32(position + 1, number, true);
  return position + 5;
}

/**
 * @param {Buffer} bytes
 * @param {DataView} view on the same bytes
 * @param {number} position
 * @param {Shape} shape
 * @returns {number} the position after it
 */
function putDefinition(bytes, view, position, { definition, hash }) {
  const { length } = definition;
  bytes[position] = TOKEN.DEFINE;
  view.setUint32(position + 1, length, true);
  view.setInt32(position + 5, hash, true);
  const at = position + 9;
  if (length > 64) bytes.set(definition, at);
  else for (let i = 0; i < length; i++) bytes[at + i] = definition[i];
  return at + length;
}

/** What a compiled writer returns for an object that is no plain one. */
const ODD = -2;

/**
 * @param {string[]} keys
 * @param {{write: Function, writeString: Function, writeNumber: Function}} parts
 * @returns {null | ((object: object, position: number) => number)}
 */
function compiledWriter(keys, parts) {
  // A getter could remove the key, and then it names the prototype.
  if (keys.length === 0 || keys.includes('__proto__')) return null;
  const lines = keys.map((name, i) => {
    const key = JSON.stringify(name);
    return `
      value = object[${key}];
      ${i === 0 ? 'if (getPrototypeOf(object) !== plain) return ODD;' : ''}
      if (typeof value === 'string') position = writeString(value, position);
      else if (typeof value === 'number') position = writeNumber(value, position);
      else {
        if (value === undefined && !hasOwn(object, ${key})) return -1;
        position = write(value, position);
        if (position < 0) return -1;
      }`;
  });
  try {
    return new Function('parts', 'getPrototypeOf', 'hasOwn', 'plain', 'ODD', `
      const { write, writeString, writeNumber } = parts;
      return (object, position) => {
        let value;
        ${lines.join('')}
        return position;
      };`)(parts, Object.getPrototypeOf, Object.hasOwn, Object.prototype, ODD);
  } catch {
    // Code generation may be switched off.
    return null;
  }
}

/** How a reader makes objects of one shape. */
class ShapeReader {
  /** @param {Buffer} definition @param {string[]} keys */
  constructor(definition, keys) {
    this.definition = definition;
    this.keys = keys;
    this.uses = 0;
    /** @type {(read: () => unknown) => object} */
    this.make = (read) => this.makeSlowly(read);
  }

  makeSlowly(read) {
    // A function made for the keys is several times faster, and several dozen objects have to pay for it.
    if (++this.uses === 32) this.make = compiled(this.keys) ?? this.make;
    const object = {};
    for (const key of this.keys) put(object, key, read());
    return object;
  }
}

function put(object, key, value) {
  // Of `__proto__` and of what somebody has frozen or added to all objects an assignment makes no property.
  if (key in object) {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** @param {string[]} keys @returns {undefined | ((read: () => unknown) => object)} */
function compiled(keys) {
  // A quoted key is data, whatever it contains; only `__proto__` has to be computed to be an ordinary key.
  const properties = keys.map((key) => (key === '__proto__' ? "['__proto__']" : JSON.stringify(key)) + ': read()');
  try {
    return /** @type {(read: () => unknown) => object} */ (new Function('read', `return { ${properties.join(', ')} };`));
  } catch {
    // Code generation may be switched off.
    return undefined;
  }
}

/** @type {Map<number, ShapeReader>} */
const readers = new Map();

/**
 * @param {Buffer} bytes
 * @param {number} start of the definition
 * @param {number} end
 * @param {number} hash
 * @returns {ShapeReader}
 */
function readerOf(bytes, start, end, hash) {
  const known = readers.get(hash);
  if (known !== undefined && sameBytes(known.definition, bytes, start, end)) return known;
  const keys = JSON.parse(bytes.toString('utf8', start, end));
  if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every((key) => typeof key === 'string')) {
    throw new TypeError('the keys of an object are no list of strings');
  }
  const reader = new ShapeReader(Buffer.from(bytes.subarray(start, end)), keys);
  if (readers.size >= MAX_SHAPES) readers.clear();
  readers.set(hash, reader);
  return reader;
}

function sameBytes(definition, bytes, start, end) {
  if (definition.length !== end - start) return false;
  for (let i = 0; i < definition.length; i++) if (definition[i] !== bytes[start + i]) return false;
  return true;
}

module.exports = { shapeOf, likelyShape, expect, putDefinition, putReference, compiledWriter, ODD, readerOf, put };
