'use strict';

/**
 * The inputs, in batches: a list of files, or records that are read as they are needed. Nothing reads ahead of what has
 * been asked for, so a stream of any length needs a bounded amount of memory.
 */

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { filesOf, statOf, troubleWith } = require('./globs');
const { pathOf, shown } = require('./names');
const { Records } = require('./records');
const { StreamCheck } = require('./stream-check');
const { FatalError, UsageError } = require('./exit');

const LIST_BATCH = 1024;
const BLOCK = 256 * 1024;
const NEWLINE = 10;

/**
 * @typedef {object} Batch
 * @property {number} base number of its first input
 * @property {number} count
 * @property {(at: number) => any} value what the function gets, or a promise of it; throws when there is none
 * @property {(at: number) => string} label names the input in a message
 * @property {(at: number) => number} bytes
 */

/**
 * @typedef {object} Source
 * @property {Record<string, any>} identity tells one set of inputs from another
 * @property {string[] | null} names of the files, when all are known before the start
 * @property {number | null} total inputs, when known
 * @property {number | null} totalBytes when known
 * @property {() => Promise<Batch | null>} next null at the end
 * @property {() => void} close
 * @property {(check: InstanceType<typeof StreamCheck>) => void} check what has been read is compared with, and told to, a journal
 */

/** @param {any} options of the command @returns {Promise<Source>} */
async function openInputs(options) {
  const { inputs } = options;
  if (options.lines || options.ndjson) {
    const files = inputs.length === 0 ? ['-'] : inputs;
    const listed = await filesOf(files.filter((/** @type {string} */ file) => file !== '-'));
    return new RecordSource(options.lines ? 'lines' : 'ndjson', files.length === 1 ? files.map(() => listed.names[0] ?? '-') : ordered(files, listed), options);
  }
  if (inputs.length > 0 && inputs[0] !== '-') return new FileList(await filesOf(inputs), options);
  const stream = new RecordSource('names', ['-'], options);
  return options.out === undefined ? stream : new FileList(await allOf(stream), options);
}

/** A `-` between files keeps its place. @param {string[]} files @param {{ names: string[] }} listed */
function ordered(files, listed) {
  const at = files.indexOf('-');
  if (at < 0) return listed.names;
  if (files.lastIndexOf('-') !== at) throw new UsageError('farm map: - (standard input) can be read only once');
  if (at === 0) return ['-', ...listed.names];
  if (at === files.length - 1) return [...listed.names, '-'];
  throw new UsageError('farm map: put - (standard input) before or behind the files');
}

/** Where the results go must be known of all files before the first is worked on. @param {RecordSource} stream */
async function allOf(stream) {
  const sizes = new Map();
  const wrong = [];
  for (let batch = await stream.next(); batch !== null; batch = await stream.next()) {
    for (let at = 0; at < batch.count; at++) {
      const name = batch.name(at);
      if (name === '') continue;
      const stats = statOf(name);
      const trouble = stats === undefined ? `no such file: ${shown(name)}` : troubleWith(name, stats);
      if (trouble === null) sizes.set(name, /** @type {fs.Stats} */ (stats).size);
      else wrong.push(`farm map: ${trouble}`);
    }
  }
  if (wrong.length > 0) throw new UsageError(wrong.join('\n'));
  return { names: [...sizes.keys()], sizes: [...sizes.values()] };
}

/** @param {string} name @param {string} as */
function contentOf(name, as) {
  const path = pathOf(name);
  if (as === 'path') return path;
  if (as === 'buffer') return fs.promises.readFile(path);
  return fs.promises.readFile(path, 'utf8').then((text) => (as === 'text' ? text : parsed(text)));
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`invalid JSON: ${/** @type {Error} */ (error).message}`);
  }
}

/** @implements {Source} */
class FileList {
  #next = 0;

  /** @param {{ names: string[], sizes: number[] }} files @param {{ as: string }} options */
  constructor({ names, sizes }, { as }) {
    this.names = names;
    this.sizes = sizes;
    this.as = as;
    this.total = names.length;
    this.totalBytes = null;
    const hash = createHash('sha256');
    for (const name of names) hash.update(JSON.stringify(name));
    this.identity = { kind: 'files', count: names.length, sha256: hash.digest('hex') };
  }

  /** @returns {Promise<Batch | null>} */
  async next() {
    const base = this.#next;
    const count = Math.min(LIST_BATCH, this.names.length - base);
    if (count <= 0) return null;
    this.#next += count;
    return {
      base,
      count,
      value: (at) => contentOf(this.names[base + at], this.as),
      label: (at) => shown(this.names[base + at]),
      bytes: (at) => this.sizes[base + at],
    };
  }

  check() {}

  close() {
    this.#next = this.names.length;
  }
}

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
    this.totalBytes = sizeOf(files);
    this.records = new Records(options.null ? 0 : NEWLINE, kind === 'names' ? 'name' : this.as === 'buffer' ? 'buffer' : 'text');
    this.identity = { kind, from: files, separator: options.null ? 'zero' : 'line' };
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
      const stats = statOf(name);
      if (stats === undefined) throw new Error('no such file');
      if (stats.isDirectory()) throw new Error('it is a directory, not a file');
      sizes[at] = stats.size;
      return contentOf(name, as);
    };
  }
  if (as === 'json') return (at) => (kind === 'ndjson' && values[at].trim() === '' ? NOTHING : parsed(values[at]));
  return (at) => values[at];
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

module.exports = { openInputs, NOTHING };
