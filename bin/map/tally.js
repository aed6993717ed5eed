'use strict';

/** What has become of the inputs so far. */

const { inspect } = require('node:util');
const { printable } = require('./names');

/** So many failures are in the summary; all of them are named when they happen. */
const LISTED = 10;

class Tally {
  began = performance.now();
  finished = 0;
  failures = 0;
  bytesIn = 0;
  /** Of inputs that were done before. */
  bytesBefore = 0;
  /** @type {{ input: string, error: string }[]} */
  first = [];

  /** @param {(line: string) => void} say */
  constructor(say) {
    this.say = say;
  }

  done() {
    this.finished++;
  }

  /** @param {string} input @param {any} error @returns {string} its first line */
  failed(input, error) {
    this.failures++;
    const line = error?.attempts > 1 ? `${firstLine(error)} (after ${error.attempts} attempts)` : firstLine(error);
    if (this.first.length < LISTED) this.first.push({ input, error: line });
    this.say(`farm: ${input}: ${line}`);
    return line;
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }
}

/** @param {any} error whatever a worker has thrown */
function firstLine(error) {
  const isError = typeof error?.message === 'string';
  const plain = error?.name === 'Error' || error?.name === 'FarmError' || error?.name === undefined;
  const text = isError ? `${plain ? '' : `${error.name}: `}${error.message.trim() || error.code || 'failed'}` : `threw ${inspect(error, { breakLength: Infinity })}`;
  // A worker's words must not move the cursor about.
  const line = printable(text.split(/\r?\n/, 1)[0]);
  return line.length > 500 ? `${line.slice(0, 499)}…` : line;
}

module.exports = { firstLine, Tally };
