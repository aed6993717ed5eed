'use strict';

// Errors of a task are made long after the call that is to blame returned. This file adds the caller's frames
// to them. Nothing is captured when a task is submitted, so tasks that succeed pay nothing.

const SEPARATOR = '    --- the task was submitted by ---';

/** Frames of this directory tell the user nothing. */
const OWN_FILES = __dirname;

/** Errors that have a caller's frames: a thousand tasks may be rejected with one reason, which shall not grow with each. @type {WeakSet<object>} */
const joined = new WeakSet();

/**
 * Puts the caller's frames under those of the worker.
 * @param {unknown} error anything that was thrown; only an error with a text for a stack is changed
 * @param {string} callerStack a stack, with or without its first line
 */
function joinStacks(error, callerStack) {
  const frames = callerStack.split('\n').filter(isCallersFrame);
  if (frames.length === 0 || typeof error !== 'object' || error === null) return;
  joined.add(error);
  try {
    putUnder(error, frames);
  } catch {
    // To look at the stack may run code of the user's: a getter, a trap, Error.prepareStackTrace. What was thrown counts.
  }
}

/**
 * @param {object} error
 * @param {string[]} frames
 */
function putUnder(error, frames) {
  const own = Object.getOwnPropertyDescriptor(error, 'stack');
  const { stack } = /** @type {{ stack?: unknown }} */ (error);
  if (own === undefined || typeof stack !== 'string' || !own.configurable) return;
  Object.defineProperty(error, 'stack', {
    value: [stack, SEPARATOR, ...frames].join('\n'),
    enumerable: own.enumerable,
    writable: true,
    configurable: true,
  });
}

function isCallersFrame(line) {
  return /^\s+at /.test(line) && !line.includes(OWN_FILES) && !line.includes('node:internal');
}

/**
 * Rejects a task's promise, with the frames of the async functions that await it.
 *
 * V8 finds those functions from the promise that is being settled, but only while one of its own reactions
 * runs. So the promise is resolved with an inner one, whose second reaction joins the stacks and throws: the
 * first tick lets V8 tie the inner promise to the outer one.
 * @param {(value: unknown) => void} resolve of the promise the caller awaits
 * @param {unknown} thrown what it is to be rejected with
 */
function rejectWithCaller(resolve, thrown) {
  resolve(Promise.resolve().then(nothing).then(() => {
    if (!joined.has(/** @type {any} */ (thrown))) joinStacks(thrown, asyncFrames());
    throw thrown;
  }));
}

function nothing() {}

function asyncFrames() {
  const holder = {};
  try {
    Error.captureStackTrace(holder);
    return typeof holder.stack === 'string' ? holder.stack : '';
  } catch {
    // Error.prepareStackTrace belongs to the user and may fail.
    return '';
  }
}

module.exports = { joinStacks, rejectWithCaller };
