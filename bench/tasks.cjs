'use strict';
// The functions every pool runs. Rivals with a worker contract of their own wrap this module, none copies it.

const { openSync, writeSync } = require('node:fs');

const STEPS_PER_UNIT = 1000;

/** @param {number} n */
const trivial = (n) => n + 1;

/** @param {unknown} value */
const echo = (value) => value;

/**
 * A new buffer whose every byte was written here, so that no pool can answer with memory it was given.
 * @param {Uint8Array} input
 */
function fresh(input) {
  const output = Buffer.allocUnsafeSlow(input.length);
  output.set(input);
  output[0] ^= 0xff;
  return output;
}

/**
 * A fixed amount of integer work. It never looks at a clock: under contention a spin on the clock does less work
 * and makes a slow pool look as fast as a quick one.
 * @param {number} units
 */
function spin(units) {
  let x = 1;
  for (let left = units * STEPS_PER_UNIT; left > 0; left--) {
    x = Math.imul(x ^ left, 0x9e3779b1);
  }
  return x;
}

/** Never returns: the task that must not hold up its neighbours. */
function forever() {
  for (;;) spin(STEPS_PER_UNIT);
}

/** Milliseconds of the clock that all processes and threads of a machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

const pid = () => process.pid;

/**
 * Runs for ever and keeps in a file when it began and when it was last alive.
 * @param {string} file
 */
function beat(file) {
  const fd = openSync(file, 'w');
  const words = new Float64Array([now(), now()]);
  const bytes = new Uint8Array(words.buffer);
  for (;;) {
    words[1] = now();
    writeSync(fd, bytes, 0, 16, 0);
    spin(10);
  }
}

module.exports = { trivial, echo, fresh, spin, forever, now, pid, beat };
