'use strict';

/** What workers print, on standard error: standard output is for results. Each line says which worker wrote it. */

const { StringDecoder } = require('node:string_decoder');

/** A line that does not end is shown in pieces of this length. */
const LONGEST = 64 * 1024;

class Prints {
  /** @type {Map<string, { decoder: StringDecoder, begun: string }>} */
  #lines = new Map();

  /**
   * @param {any} farm
   * @param {{ write: (lines: string) => void, readonly full: boolean }} report while it is full, workers that print wait
   */
  constructor(farm, report) {
    this.write = (/** @type {string} */ lines) => {
      report.write(lines);
      if (report.full) farm.pauseOutput();
    };
    for (const stream of ['stdout', 'stderr']) {
      farm.on(stream, (/** @type {Buffer} */ bytes, /** @type {{ workerId: number }} */ { workerId }) => this.#take(`${workerId} ${stream}`, workerId, bytes));
    }
    farm.on('exit', (/** @type {{ workerId: number }} */ { workerId }) => {
      for (const stream of ['stdout', 'stderr']) this.#finish(`${workerId} ${stream}`, workerId);
    });
  }

  /** @param {string} key @param {number} workerId @param {Buffer} bytes */
  #take(key, workerId, bytes) {
    let line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, (line = { decoder: new StringDecoder('utf8'), begun: '' }));
    const whole = (line.begun + line.decoder.write(bytes)).split('\n');
    line.begun = /** @type {string} */ (whole.pop());
    if (line.begun.length > LONGEST) {
      whole.push(line.begun);
      line.begun = '';
    }
    if (whole.length > 0) this.write(whole.map((text) => `[worker ${workerId}] ${text}\n`).join(''));
  }

  /** @param {string} key @param {number} workerId */
  #finish(key, workerId) {
    const line = this.#lines.get(key);
    this.#lines.delete(key);
    const rest = line === undefined ? '' : line.begun + line.decoder.end();
    if (rest !== '') this.write(`[worker ${workerId}] ${rest}\n`);
  }
}

module.exports = { Prints };
