'use strict';

// V8's deserializer makes its objects in the main realm. A test runner loads farm into a realm of its own
// (a `vm` context), where `value instanceof Map` would then be false. There the prototypes are exchanged.

const { deserialize, serialize } = require('node:v8');

/** @type {boolean | undefined} */
let foreign;

/**
 * @template T
 * @param {T} root a value fresh from V8's deserializer
 * @returns {T} the same value, at home in this realm
 */
function homeward(root) {
  if (typeof root !== 'object' || root === null) return root;
  foreign ??= Object.getPrototypeOf(deserialize(serialize({}))) !== Object.prototype;
  if (!foreign) return root;
  const seen = new Set([root]);
  // A Set visits what is added to it while it is walked, so this reaches everything, cycles included.
  for (const object of seen) {
    rehome(object);
    for (const child of childrenOf(object)) {
      if (typeof child === 'object' && child !== null) seen.add(child);
    }
  }
  return root;
}

/** @param {object} object */
function rehome(object) {
  const foreignPrototype = Object.getPrototypeOf(object);
  const name = foreignPrototype?.constructor?.name;
  const home = typeof name === 'string' ? globalThis[name]?.prototype : undefined;
  if (home !== undefined && home !== foreignPrototype) Object.setPrototypeOf(object, home);
}

function* childrenOf(object) {
  if (ArrayBuffer.isView(object)) return;
  if (object instanceof Map) {
    for (const [key, value] of object) yield* [key, value];
  } else if (object instanceof Set) {
    yield* object;
  }
  for (const key of Object.getOwnPropertyNames(object)) yield object[key];
}

module.exports = { homeward };
