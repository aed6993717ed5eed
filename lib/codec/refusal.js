'use strict';

// After a value was refused: the slow walk that finds which part of it, for the message.

const { isArrayBuffer, isProxy, isMap, isSet } = require('node:util').types;
const { FarmError } = require('../errors');
const { writeClone, CloneRefusal } = require('./clone');

/**
 * @param {unknown} value what could not be encoded
 * @param {unknown} cause what the encoder threw
 * @param {string} root what the value is called in the message: 'args', 'result', ... With 'task' it is
 *   `[method, ...args]` and its parts are named so.
 * @returns {InstanceType<typeof FarmError>}
 */
function notCloneable(value, cause, root) {
  const isTask = root === 'task';
  const reason = attempt(() => search(value, isTask ? '' : root, new Set(), isTask))
    ?? { path: root, what: `cannot be carried (${/** @type {any} */ (cause)?.message ?? cause})` };
  const details = { path: reason.path };
  // V8's own words add nothing once the place is known; an error of the user's does.
  if (!(cause instanceof CloneRefusal)) details.cause = reason.cause ?? cause;
  return new FarmError(
    'ERR_FARM_NOT_CLONEABLE',
    `${reason.path} ${reason.what}. It cannot be sent to another process: `
      + 'send data (see docs/values.md) and leave this part out.',
    details,
  );
}

/** A value can be too deep for the search, or run code of the user's that throws. */
function attempt(find) {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {Set<unknown>} seen
 * @param {boolean} [isTask]
 * @returns {undefined | {path: string, what: string, cause?: unknown}}
 */
function search(value, path, seen, isTask = false) {
  if (typeof value === 'function') return { path, what: 'is a function' };
  if (typeof value === 'symbol') return { path, what: `is a symbol, ${String(value)}` };
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (isProxy(value)) return { path, what: 'is a Proxy' };
  if (isTask) return searchTask(value, seen);
  return searchInside(value, path, seen) ?? refusedItself(value, path);
}

function searchTask(task, seen) {
  const found = search(task[0], 'the method name', seen);
  for (let i = 1; found === undefined && i < task.length; i++) {
    const inside = search(task[i], `args[${i - 1}]`, seen);
    if (inside !== undefined) return inside;
  }
  return found;
}

function searchInside(value, path, seen) {
  if (ArrayBuffer.isView(value)) return undefined;
  if (isMap(value)) {
    let i = 0;
    for (const [key, entry] of value) {
      const found = search(key, `${path}.keys()[${i++}]`, seen) ?? search(entry, `${path}.get(${show(key)})`, seen);
      if (found !== undefined) return found;
    }
  } else if (isSet(value)) {
    let i = 0;
    for (const entry of value) {
      const found = search(entry, `${path}.values()[${i++}]`, seen);
      if (found !== undefined) return found;
    }
  }
  for (const key of Object.keys(value)) {
    const inner = path + step(key, Array.isArray(value));
    let property;
    try {
      property = value[key];
    } catch (cause) {
      return { path: inner, what: 'is a getter that throws', cause };
    }
    const found = search(property, inner, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Nothing inside is at fault; is it the object? */
function refusedItself(value, path) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) {
    // `arguments` has the prototype of a plain object and is none.
    if (Object.prototype.toString.call(value) !== '[object Arguments]') return undefined;
  }
  try {
    writeClone(value);
    return undefined;
  } catch {
    if (ArrayBuffer.isView(value)) return { path, what: 'is a view on memory that is shared or detached' };
    // One that is not can be sent.
    if (isArrayBuffer(value)) return { path, what: 'is a detached ArrayBuffer: it was transferred' };
    if (value === process.env) return { path, what: 'is process.env, which is no plain object as its copy { ...process.env } is' };
    return { path, what: `is ${article(kindOf(value))}` };
  }
}

function kindOf(value) {
  const name = value.constructor?.name;
  if (typeof name === 'string' && name !== '' && name !== 'Object') return name;
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function article(noun) {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

function step(key, isArray) {
  if (isArray && /^\d+$/.test(key)) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function show(key) {
  if (typeof key === 'string') return JSON.stringify(key);
  return typeof key === 'object' && key !== null ? `a ${kindOf(key)}` : String(key);
}

module.exports = { notCloneable };
