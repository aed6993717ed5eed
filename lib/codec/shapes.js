'use strict';

// Objects with the same keys in the same order share a shape. A message names a shape's keys once; what the
// two sides remember of it between messages only saves them work and is never needed to read a message.

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
  if (key === '__proto__') {
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

module.exports = { shapeOf, hasKeys, readerOf, put };
