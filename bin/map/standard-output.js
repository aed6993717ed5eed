'use strict';

/** Results on standard output: gathered into large blocks, written at the pace of the reader, then told to the journal. */

const fs = require('node:fs');
const { FatalError } = require('./exit');

const NEWLINE = 10;
const BLOCK = 64 * 1024;
/** So much waits for the reader before no input is started any more. */
const WAITING = 1024 * 1024;

class StandardOutput {
  /** @type {(string | Uint8Array)[]} */
  #parts = [];
  #text = '';
  #gathered = 0;
  #unwritten = 0;
  /** @type {number[]} */
  #indexes = [];
  #scheduled = false;
  /** @type {((value?: any) => void)[]} */
  #waiters = [];
  #broken = false;
  bytes = 0;

  /**
   * @param {object} events
   * @param {(indexes: number[]) => void} [events.written] null without a journal
   * @param {() => void} events.room
   * @param {(write: () => void, endsLine: boolean) => void} events.aside keeps a progress bar on the same terminal out of the way
   * @param {(error: Error | null) => void} events.broken null: the reader has gone
   */
  constructor({ written, room, aside, broken }) {
    this.written = written;
    this.room = room;
    this.aside = aside;
    process.stdout.on('error', (/** @type {any} */ error) => {
      if (this.#broken) return;
      this.#broken = true;
      broken(error.code === 'EPIPE' ? null : new FatalError(`cannot write to standard output: ${error.message}`));
      this.#release();
    });
  }

  get full() {
    return this.#unwritten > WAITING;
  }

  /**
   * @param {number} index
   * @param {string | Uint8Array | null} encoded
   */
  accept(index, encoded) {
    if (this.written) this.#indexes.push(index);
    if (typeof encoded === 'string') this.#text += encoded;
    else if (encoded !== null) {
      this.#closeText();
      this.#parts.push(encoded);
    }
    this.#gathered += encoded === null ? 0 : encoded.length;
    if (this.#gathered >= BLOCK) this.#write();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#write();
      });
    }
  }

  #closeText() {
    if (this.#text === '') return;
    this.#parts.push(this.#text);
    this.#text = '';
  }

  #write() {
    this.#closeText();
    if ((this.#parts.length === 0 && this.#indexes.length === 0) || this.#broken) return;
    const parts = this.#parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
    const block = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const indexes = this.#indexes;
    this.#parts = [];
    this.#indexes = [];
    this.#gathered = 0;
    this.#unwritten += block.length;
    const write = () => {
      process.stdout.write(block, (error) => {
        if (!error) this.#wrote(block.length, indexes);
      });
    };
    this.aside(write, block.at(-1) === NEWLINE || block.length === 0);
  }

  /** @param {number} bytes @param {number[]} indexes */
  #wrote(bytes, indexes) {
    this.#unwritten -= bytes;
    this.bytes += bytes;
    if (indexes.length > 0) this.written?.(indexes);
    if (this.#unwritten === 0) this.#release();
    this.room();
  }

  #release() {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Makes durable what was written, when standard output is a file. */
  async settled() {
    await new Promise((resolve) => fs.fdatasync(1, resolve));
  }

  async discard() {}

  /** Resolves when everything is with the reader, or the reader has gone. */
  async end() {
    this.#write();
    if (this.#unwritten > 0 && !this.#broken) await new Promise((resolve) => this.#waiters.push(resolve));
  }
}

module.exports = { StandardOutput };
