'use strict';

/** Records of a stream as inputs: lines, NDJSON, or names of files. A block is read when the last one is used up. */

const fs = require('node:fs');
const { contentOf, parsed } = require('./content');
const { statOf } = require('./globs');
const { pathOf, shown } = require('./names');
const { Records } = require('./records');
const { StreamCheck } = require('./stream-check');
const { FatalError, UsageError } = require('./exit');

const BLOCK = 256 * 1024;
const NEWLINE = 10;

/** @typedef {import('./inputs').Batch} Batch */
/** @typedef {import('./inputs').Source} Source */

/** @implements {Source} */
class RecordSource {
  #base = 0;
  /** Inputs of the files before this one: line numbers count from the beginning of each. */
  #fileBase = 0;
  #closed = false;
  /** @type {AsyncIterator<Buffer> | null} */
  #blocks = null;
  /** @type {import('node:stream').Readable | null} */
  #stream = null;
  #ended = false;
  #file = '-';
  /** @type {InstanceType<typeof StreamCheck>} */
  #check = new StreamCheck(null);
  /** @type {Buffer[]} */
  #cleared = [];

  /**
   * @param {'lines' | 'ndjson' | 'names'} kind
   * @param {string[]} files `-` is standard input
   * @param {any} options
   */
  constructor(kind, files, options) {
    this.kind = kind;
    this.as = options.as;
    this.files = [...files];
    this.names = null;
    this.total = null;
    if (files.includes('-')) refuseFolder();
    this.totalBytes = sizeOf(files);
    this.records = new Records(options.null ? 0 : NEWLINE, kind === 'names' ? 'name' : this.as === 'buffer' ? 'buffer' : 'text');
    /** @type {Record<string, any>} */
    this.identity = { kind, from: files, separator: options.null ? 'zero' : 'line' };
    // Where the names lead; of lines the content is compared.
    if (kind === 'names') this.identity.directory = process.cwd();
  }

  /** @param {InstanceType<typeof StreamCheck>} check */
  check(check) {
    this.#check = check;
  }

  /** @returns {Promise<(Batch & { name: (at: number) => string }) | null>} */
  async next() {
    for (;;) {
      const block = this.#cleared.shift();
      if (block !== undefined) {
        const found = this.records.take(block);
        if (found !== null) return this.#batch(found);
      } else if (this.#ended) {
        const rest = this.records.end();
        if (rest !== null) return this.#batch(rest);
        if (this.#closed || this.files.length === 0) {
          if (!this.#closed) this.#check.end();
          return null;
        }
        this.#open();
      } else if (this.#blocks === null) this.#open();
      else await this.#read(this.#blocks);
    }
  }

  #open() {
    this.#file = /** @type {string} */ (this.files.shift());
    this.#fileBase = this.#base;
    this.#ended = false;
    const stream = this.#file === '-' ? process.stdin : fs.createReadStream(pathOf(this.#file), { highWaterMark: BLOCK });
    this.#stream = stream;
    this.#blocks = stream[Symbol.asyncIterator]();
  }

  /** @param {AsyncIterator<Buffer>} blocks */
  async #read(blocks) {
    let step;
    try {
      step = await blocks.next();
    } catch (error) {
      if (!this.#closed) throw new FatalError(`cannot read ${this.#file === '-' ? 'standard input' : shown(this.#file)}: ${/** @type {Error} */ (error).message}`);
    }
    if (this.#closed) {
      this.#ended = true;
      this.#cleared = [];
      this.files = [];
    } else if (step?.done) this.#ended = true;
    else this.#cleared.push(...this.#check.take(/** @type {any} */ (step).value));
  }

  /** @param {{ values: any[], bytes: number }} found */
  #batch({ values, bytes }) {
    const base = this.#base;
    const { kind, as } = this;
    const fileBase = this.#fileBase;
    const file = this.#file;
    this.#base += values.length;
    const each = bytes / values.length;
    /** @type {number[]} of the files named, as they are looked at */
    const sizes = [];
    return {
      base,
      count: values.length,
      value: valueOf(kind, as, values, sizes),
      name: (/** @type {number} */ at) => values[at],
      label: (/** @type {number} */ at) => (kind === 'names' ? shown(values[at]) : `${file === '-' ? 'line' : `${shown(file)}, line`} ${base - fileBase + at + 1}`),
      bytes: kind === 'names' ? (at) => sizes[at] ?? 0 : () => each,
    };
  }

  close() {
    this.#closed = true;
    this.#stream?.destroy();
  }
}

/** Marks a record that is no input. */
const NOTHING = Symbol('nothing');

/**
 * @param {string} kind
 * @param {string} as
 * @param {any[]} values
 * @param {number[]} sizes of files, which this fills in
 * @returns {(at: number) => any}
 */
function valueOf(kind, as, values, sizes) {
  if (kind === 'names') {
    return (at) => {
      const name = values[at];
      if (name === '') return NOTHING;
      const stats = lookedAt(name);
      if (stats === undefined) throw new Error('no such file');
      if (stats.isDirectory()) throw new Error('it is a directory, not a file');
      sizes[at] = stats.size;
      return contentOf(name, as);
    };
  }
  if (as === 'json') return (at) => (kind === 'ndjson' && values[at].trim() === '' ? NOTHING : parsed(values[at]));
  return (at) => values[at];
}

/** Node takes a folder for an empty stream. */
function refuseFolder() {
  if (fs.fstatSync(0).isDirectory()) throw new UsageError('farm map: standard input is a directory; name the files in it');
}

/** @param {string} name */
function lookedAt(name) {
  try {
    return statOf(name);
  } catch (error) {
    // One name of many is not wrong usage, and the report names it already.
    throw new Error(`cannot look at it: ${/** @type {any} */ (error).cause.code}`);
  }
}

/** @param {string[]} files */
function sizeOf(files) {
  let sum = 0;
  for (const file of files) {
    const stats = file === '-' ? fs.fstatSync(0) : statOf(file);
    if (!stats?.isFile()) return null;
    sum += stats.size;
  }
  return sum;
}

module.exports = { RecordSource, NOTHING };
