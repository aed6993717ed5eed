'use strict';

/**
 * The inputs, in batches: a list of files, or records that are read as they are needed. Nothing reads ahead of what has
 * been asked for, so a stream of any length needs a bounded amount of memory.
 */

const { createHash } = require('node:crypto');
const path = require('node:path');
const { contentOf } = require('./content');
const { filesOf, statOf, troubleWith } = require('./globs');
const { shown } = require('./names');
const { RecordSource } = require('./record-source');
const { UsageError } = require('./exit');

const LIST_BATCH = 1024;

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
 * @property {(check: InstanceType<typeof import('./stream-check').StreamCheck>) => void} check what has been read is compared with, and told to, a journal
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

/** Where the results go must be known of all files before the first is worked on. @param {InstanceType<typeof RecordSource>} stream */
async function allOf(stream) {
  const sizes = new Map();
  const wrong = [];
  for (let batch = await stream.next(); batch !== null; batch = await stream.next()) {
    for (let at = 0; at < batch.count; at++) {
      const name = batch.name(at);
      if (name === '') continue;
      const stats = statOf(name);
      const trouble = stats === undefined ? `no such file: ${shown(name)}` : troubleWith(name, stats);
      if (trouble === null) sizes.set(name, /** @type {import('node:fs').Stats} */ (stats).size);
      else wrong.push(`farm map: ${trouble}`);
    }
  }
  if (wrong.length > 0) throw new UsageError(wrong.join('\n'));
  return { names: [...sizes.keys()], sizes: [...sizes.values()] };
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
    this.totalBytes = sizes.reduce((sum, size) => sum + size, 0);
    const hash = createHash('sha256');
    // In full: the same names in another directory are other files.
    for (const name of names) hash.update(JSON.stringify(path.resolve(name)));
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

module.exports = { openInputs };
