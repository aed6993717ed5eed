'use strict';

// What a task throws, on its way to the caller. Errors of any kind are taken apart into plain data here and put
// together again on the other side; anything else that was thrown travels as the value it is.
//
// The data: `[VALUE, value]` for what is no error, else `[ERRORS, nodes]`, where node 0 was thrown and nodes
// refer to each other by number, so that chains and cycles of errors need no recursion.

const { isNativeError } = require('node:util').types;
const { FarmError, textOf } = require('../errors');

const VALUE = 0;
const ERRORS = 1;

/** How a property of an error is stored: as a value, as the number of a node, or as a list of both. */
const AS_VALUE = 0;
const AS_ERROR = 1;
const AS_LIST = 2;

/**
 * @typedef {[key: string, enumerable: boolean, form: number, stored: any]} Property
 * @typedef {{ class: string, custom: string | undefined, properties: Property[], dom?: [message: string, name: string] }} ErrorNode
 */

/** Errors in one message; what goes beyond, in a chain or a list, is left out. */
const MAX_ERRORS = 1000;

const BUILT_IN = [
  Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError, DOMException, FarmError,
];
const CLASSES = new Map(BUILT_IN.map((constructor) => [constructor.name, constructor]));

/** Own properties that errors carry without listing them. */
const HIDDEN = ['name', 'message', 'stack', 'cause', 'errors'];

/** @param {unknown} value an error of any realm */
function isError(value) {
  if (typeof value !== 'object' || value === null) return false;
  return isNativeError(value) || read(() => value instanceof Error) === true || isDOMException(value);
}

function isDOMException(value) {
  return read(() => value instanceof DOMException
    || (value.constructor?.name === 'DOMException' && typeof value.code === 'number')) === true;
}

/**
 * @param {unknown} thrown
 * @param {(value: unknown) => import('../codec').Encoded} encode
 * @returns {import('../codec').Encoded}
 */
function encodeError(thrown, encode) {
  if (!isError(thrown)) {
    try {
      return encode([VALUE, thrown]);
    } catch {
      return encode([ERRORS, takeApart(unsendable(thrown))]);
    }
  }
  const nodes = takeApart(/** @type {object} */ (thrown));
  try {
    return encode([ERRORS, nodes]);
  } catch {
    // Rare, so only now is each property tried by itself.
    for (const node of nodes) node.properties = node.properties.filter((property) => fits(property, encode));
  }
  try {
    return encode([ERRORS, nodes]);
  } catch {
    // Together they are too large.
    return encode([ERRORS, takeApart(unsendable(thrown))]);
  }
}

function fits(property, encode) {
  try {
    encode(property);
    return true;
  } catch {
    return false;
  }
}

function unsendable(thrown) {
  const text = typeof thrown === 'object' ? read(() => Object.prototype.toString.call(thrown)) ?? 'object' : textOf(thrown);
  return new FarmError('ERR_FARM_NOT_CLONEABLE', `The task threw what cannot be sent to another process: ${text}`);
}

/** @param {object} first @returns {ErrorNode[]} */
function takeApart(first) {
  const numbers = new Map([[first, 0]]);
  const nodes = [];
  // The map grows while it is walked: each error that is met gets its number, then its turn.
  for (const error of numbers.keys()) nodes.push(takeApartOne(error, numbers));
  return nodes;
}

function takeApartOne(error, numbers) {
  const builtIn = builtInOf(error);
  /** @type {ErrorNode} */
  const node = { class: builtIn, custom: classNameOf(error), properties: [] };
  const name = read(() => error.name);
  if (builtIn === 'DOMException') {
    node.dom = [textOf(read(() => error.message)), textOf(name)];
  } else if (typeof name === 'string' && inherits(error, 'name') && name !== builtIn) {
    node.properties.push(['name', false, AS_VALUE, name]);
  }
  // Some classes make their message in a getter; that of the built-in ones is ''.
  const message = read(() => error.message);
  if (typeof message === 'string' && message !== '' && node.dom === undefined && inherits(error, 'message')) node.properties.push(['message', false, AS_VALUE, message]);
  // What is looked at may be a Proxy, and its traps may throw: that property is left out.
  for (const key of HIDDEN) read(() => addProperty(node, error, key, numbers));
  for (const key of read(() => Object.keys(error)) ?? []) {
    if (!HIDDEN.includes(key)) read(() => addProperty(node, error, key, numbers));
  }
  return node;
}

/** @param {object} error @param {string} key */
function inherits(error, key) {
  return read(() => !Object.hasOwn(error, key)) === true;
}

/** A class may have a static method of that name. @returns {string | undefined} */
function classNameOf(error) {
  const name = read(() => error.constructor.name);
  return typeof name === 'string' ? name : undefined;
}

function addProperty(node, error, key, numbers) {
  const descriptor = read(() => Object.getOwnPropertyDescriptor(error, key));
  // The stack may be an accessor that errors inherit; it is theirs all the same.
  if (descriptor === undefined && key !== 'stack') return;
  const value = error[key];
  if (typeof value === 'function' || typeof value === 'symbol') return;
  if (key === 'stack' && typeof value !== 'string') return;
  const enumerable = descriptor?.enumerable ?? false;
  if (isError(value)) {
    const number = numberOf(value, numbers);
    if (number >= 0) node.properties.push([key, enumerable, AS_ERROR, number]);
  } else if (Array.isArray(value) && value.some(isError)) {
    const list = value.map((item) => (isError(item) ? [AS_ERROR, numberOf(item, numbers)] : [AS_VALUE, item]));
    node.properties.push([key, enumerable, AS_LIST, list.filter(([form, item]) => form === AS_VALUE || item >= 0)]);
  } else {
    node.properties.push([key, enumerable, AS_VALUE, value]);
  }
}

function numberOf(error, numbers) {
  const known = numbers.get(error);
  if (known !== undefined) return known;
  if (numbers.size >= MAX_ERRORS) return -1;
  numbers.set(error, numbers.size);
  return numbers.size - 1;
}

/** The nearest class of the error that every Node.js has. */
function builtInOf(error) {
  if (isDOMException(error)) return 'DOMException';
  let prototype = read(() => Object.getPrototypeOf(error));
  for (let depth = 0; prototype && depth < 100; depth++) {
    const name = read(() => Object.hasOwn(prototype, 'constructor') && prototype.constructor.name);
    if (CLASSES.has(name)) return name;
    const current = prototype;
    prototype = read(() => Object.getPrototypeOf(current));
  }
  return 'Error';
}

/** @template T @param {() => T} look @returns {T | undefined} undefined where user code threw */
function read(look) {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/**
 * @param {unknown} data what `encodeError` made, decoded
 * @param {Record<string, Function>} [registry] classes of the user, by name
 * @returns {unknown} what was thrown
 */
function decodeError(data, registry) {
  if (Array.isArray(data) && data[0] === VALUE) return data[1];
  if (!Array.isArray(data) || data[0] !== ERRORS || !Array.isArray(data[1]) || data[1].length === 0) return malformed();
  const nodes = data[1];
  try {
    const errors = nodes.map((node) => create(node, registry));
    nodes.forEach((node, i) => {
      for (const property of node.properties) restore(errors[i], property, errors);
    });
    return errors[0];
  } catch (cause) {
    return malformed(cause);
  }
}

function malformed(cause) {
  return new FarmError('ERR_FARM_BAD_DATA', 'The worker reported an error in a form that cannot be read.', { cause });
}

function create(node, registry) {
  const limit = Error.stackTraceLimit;
  // The stack of this place is of no use: the worker's is put there instead.
  limitTraces(0);
  try {
    const error = construct(node);
    const custom = registry !== undefined && Object.hasOwn(registry, node.custom) ? registry[node.custom] : undefined;
    if (typeof custom === 'function') Object.setPrototypeOf(error, custom.prototype);
    return error;
  } finally {
    limitTraces(limit);
  }
}

/** Without an error where nobody may set it, as under --frozen-intrinsics. @param {number} frames */
function limitTraces(frames) {
  Reflect.set(Error, 'stackTraceLimit', frames);
}

/** @param {ErrorNode} node */
function construct(node) {
  if (node.class === 'DOMException') return new DOMException(node.dom[0], node.dom[1]);
  if (node.class === 'AggregateError') return new AggregateError([]);
  if (node.class === 'FarmError') return Object.setPrototypeOf(new Error(), FarmError.prototype);
  const Class = /** @type {ErrorConstructor} */ (CLASSES.get(node.class) ?? Error);
  return new Class();
}

function restore(error, [key, enumerable, form, stored], errors) {
  let value = stored;
  if (form === AS_ERROR) value = errors[stored];
  if (form === AS_LIST) value = stored.map(([itemForm, item]) => (itemForm === AS_ERROR ? errors[item] : item));
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}

module.exports = { encodeError, decodeError };
