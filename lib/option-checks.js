'use strict';

/**
 * The checks that the table in lib/options.js is made of. Each takes the value that was given and returns the value to
 * use, or a Refusal that says what would have been right.
 */

const { inspect } = require('node:util');

class Refusal {
  /** @param {string} wanted follows "must be" */
  constructor(wanted) {
    this.wanted = wanted;
  }
}

/** @typedef {(value: any) => unknown} Check */

/**
 * @param {number} least
 * @param {number} most
 * @returns {Check}
 */
function integer(least, most) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  const refusal = new Refusal(`an integer ${range}`);
  return (value) => (Number.isInteger(value) && value >= least && value <= most ? value : refusal);
}

/** @type {Check} */
const countOrNone = (value) => ((Number.isInteger(value) && value >= 0) || value === Infinity ? value : new Refusal('an integer of at least 0, or Infinity'));

/**
 * Milliseconds, Infinity for no limit.
 * @param {number} least
 * @returns {Check}
 */
function duration(least) {
  const refusal = new Refusal(`a number of milliseconds of at least ${least}, or Infinity`);
  return (value) => (typeof value === 'number' && value >= least ? value : refusal);
}

/**
 * @param {number} least
 * @returns {Check}
 */
function finite(least) {
  const refusal = new Refusal(`a finite number of milliseconds of at least ${least}`);
  return (value) => (Number.isFinite(value) && value >= least ? value : refusal);
}

/**
 * @param {...string} words
 * @returns {Check}
 */
function oneOf(...words) {
  const refusal = new Refusal(`one of ${words.map((word) => `'${word}'`).join(', ')}`);
  return (value) => (words.includes(value) ? value : refusal);
}

/**
 * @param {...string} words
 * @returns {Check}
 */
function someOf(...words) {
  const refusal = new Refusal(`an array of ${words.map((word) => `'${word}'`).join(', ')}`);
  return (value) => (Array.isArray(value) && value.every((word) => words.includes(word)) ? Object.freeze([...new Set(value)]) : refusal);
}

/** @type {Check} */
const boolean = (value) => (typeof value === 'boolean' ? value : new Refusal('true or false'));

/** @type {Check} */
const aFunction = (value) => (typeof value === 'function' ? value : new Refusal('a function'));

/** @type {Check} */
const anything = (value) => value;

/** A zero byte would end the string early in the system call. @param {unknown} value */
function isText(value) {
  return typeof value === 'string' && !value.includes('\0');
}

/** @type {Check} */
const text = (value) => (isText(value) && value !== '' ? value : new Refusal('a non-empty string without a zero byte'));

/** @type {Check} */
const strings = (value) =>
  Array.isArray(value) && value.every(isText) ? [...value] : new Refusal('an array of strings without zero bytes');

/** @type {Check} */
function directory(value) {
  if (value !== null && typeof value === 'object' && value.protocol === 'file:') return require('node:url').fileURLToPath(value.href);
  return text(value) instanceof Refusal ? new Refusal('a path or a file: URL') : value;
}

/** @type {Check} */
function codec(value) {
  const isUrl = value !== null && typeof value === 'object' && value.protocol === 'file:';
  if (isUrl || (isText(value) && value.trim() !== '')) return value;
  return new Refusal("'default', 'json', or the path or file: URL of a module that exports encode and decode (workers load it too)");
}

/** @type {Check} */
function json(value) {
  try {
    if (JSON.stringify(value) !== undefined) return value;
  } catch {
    // Cycles and BigInt are refused like a function is.
  }
  return new Refusal('a value that JSON can carry');
}

/** Not instanceof: the signal may come from another realm or a polyfill. @type {Check} */
function abortSignal(value) {
  return value !== null &&
    typeof value === 'object' &&
    typeof value.aborted === 'boolean' &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function'
    ? value
    : new Refusal('an AbortSignal');
}

/**
 * A value for an error message, in one short line.
 * @param {unknown} value
 */
function show(value) {
  const line = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60, maxArrayLength: 3 });
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}

module.exports = { Refusal, integer, countOrNone, duration, finite, oneOf, someOf, boolean, aFunction, anything, text, strings, directory, isText, codec, json, abortSignal, show };
