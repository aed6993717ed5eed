'use strict';

/**
 * Timers and turns that a test cannot put a fake in the place of: workers live in real time, and under fake timers a call
 * would never be sent. Taken once, from the modules rather than from the global object; `process.nextTick` from the main
 * context, since in the one of a Jest test `process` may be a copy with a fake in it already.
 */

const { clearTimeout, setTimeout } = require('node:timers');
const { performance } = require('node:perf_hooks');
const { runInThisContext } = require('node:vm');

/** @type {typeof process} */
const main = runInThisContext('globalThis.process') ?? process;
const { nextTick } = main;

module.exports = { clearTimeout, nextTick, performance, setTimeout };
