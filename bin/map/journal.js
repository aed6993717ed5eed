'use strict';

/**
 * The journal: one JSON record per line, only ever appended to.
 *
 *   {"farm map journal":1,"worker":…,"method":…,"inputs":…}   what it is for
 *   {"at":65536,"hash":"…"}                                   so much of a stream has been read; its hash
 *   {"done":"0-99,101"}                                       numbers of inputs whose results are out
 *   {"failed":100,"name":"…","error":"…"}                     to be tried again
 *   {"end":70000}                                             the stream has ended there
 *
 * A result is written first and then its record, so a lost record means work done twice and never work not done.
 */

const fs = require('node:fs');
const { FatalError, UsageError } = require('./exit');
const { pathOf, shown } = require('./names');
const { lockJournal } = require('./journal-lock');
const { Ranges } = require('./ranges');

const VERSION = 1;
const KEY = 'farm map journal';
const EVERY = 200;

class Journal {
  /** @type {number[]} */
  #done = [];
  /** @type {string[]} */
  #lines = [];
  /** @type {Promise<void> | null} */
  #flushing = null;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {string} file
   * @param {number} fd
   * @param {ReturnType<typeof read>} before
   * @param {() => void} unlock
   */
  constructor(file, fd, { ranges, marks, endAt, id }, unlock) {
    this.unlock = unlock;
    this.file = file;
    this.fd = fd;
    this.ranges = ranges;
    this.marks = marks;
    this.endAt = endAt;
    /** In the names of this work's temporary files. */
    this.id = id;
    /** Inputs that were done before. */
    this.before = ranges.size;
    this.note = this.note.bind(this);
  }

  /**
   * @param {string} file
   * @param {Record<string, any>} purpose worker, method, inputs and whatever else changes the results
   */
  static open(file, purpose) {
    const header = { [KEY]: VERSION, id: `${process.pid.toString(36)}${Date.now().toString(36)}`, ...purpose };
    let fd;
    let unlock;
    try {
      unlock = lockJournal(file);
      fd = fs.openSync(pathOf(file), 'a+', 0o644);
      const before = read(file, fs.readFileSync(fd), header);
      if (before.keep < before.size) fs.ftruncateSync(fd, before.keep);
      if (before.keep === 0) writeAll(fd, Buffer.from(`${JSON.stringify(header)}\n`));
      fs.fsyncSync(fd);
      return new Journal(file, fd, before, unlock);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      unlock?.();
      if (error instanceof UsageError) throw error;
      throw new UsageError(`farm map: cannot use the journal ${shown(file)}: ${/** @type {Error} */ (error).message}`);
    }
  }

  /**
   * @param {() => Promise<void>} settled makes durable what the records are about to say
   * @param {(error: Error) => void} broken
   */
  start(settled, broken) {
    this.settled = settled;
    this.broken = broken;
    this.#timer = setInterval(() => this.flush().catch(broken), EVERY);
  }

  /** @param {number} index of an input; asked in ascending order */
  isDone(index) {
    return this.ranges.has(index);
  }

  /** @param {number} index */
  done(index) {
    this.#done.push(index);
  }

  /** @param {number} index @param {string} name @param {string} error */
  failed(index, name, error) {
    this.note({ failed: index, name, error });
  }

  /** @param {any} record */
  note(record) {
    this.#lines.push(JSON.stringify(record));
  }

  /** @returns {Promise<void>} */
  async flush() {
    while (this.#flushing !== null) await this.#flushing;
    if (this.#done.length === 0 && this.#lines.length === 0) return;
    this.#flushing = this.#write();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = null;
    }
  }

  async #write() {
    const done = this.#done;
    const lines = this.#lines;
    this.#done = [];
    this.#lines = [];
    // Marks of the stream come first: what is done lies before them.
    if (done.length > 0) lines.push(JSON.stringify({ done: Ranges.text(done) }));
    try {
      await this.settled?.();
      await writeAllLater(this.fd, Buffer.from(`${lines.join('\n')}\n`));
      await new Promise((resolve, reject) => fs.fdatasync(this.fd, (error) => (error ? reject(error) : resolve(undefined))));
    } catch (error) {
      throw new FatalError(`cannot write the journal ${shown(this.file)}: ${/** @type {Error} */ (error).message}`);
    }
  }

  async close() {
    clearInterval(this.#timer);
    try {
      await this.flush();
    } finally {
      fs.closeSync(this.fd);
      this.unlock();
    }
  }
}

/** @param {number} fd @param {Buffer} bytes */
function writeAll(fd, bytes) {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

/** @param {number} fd @param {Buffer} bytes @returns {Promise<void>} */
function writeAllLater(fd, bytes) {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, (error, written) => {
      if (error) reject(error);
      else if (written < bytes.length) writeAllLater(fd, bytes.subarray(written)).then(resolve, reject);
      else resolve();
    });
  });
}

/**
 * What the journal says. A last line without an end was torn by a crash and does not count.
 * @param {string} file
 * @param {Buffer} bytes
 * @param {Record<string, any>} header what it must be for
 */
function read(file, bytes, header) {
  const keep = bytes.lastIndexOf(10) + 1;
  const ranges = new Ranges();
  /** @type {import('./stream-check').Mark[]} */
  const marks = [];
  let endAt = null;
  const lines = keep === 0 ? [] : bytes.toString('utf8', 0, keep - 1).split('\n');
  if (keep === 0 && bytes.length > 0 && !bytes.toString().startsWith(`{"${KEY}"`) && !`{"${KEY}"`.startsWith(bytes.toString())) throw noJournal(file);
  const found = lines.length === 0 ? header : recordOf(file, lines, 0);
  if (found[KEY] === undefined) throw noJournal(file);
  for (let number = 1; number < lines.length; number++) {
    const record = recordOf(file, lines, number);
    if (record.done !== undefined) ranges.add(record.done);
    else if (record.at !== undefined) marks.push(record);
    else if (record.end !== undefined) endAt = record.end;
  }
  ranges.seal();
  const other = difference(found, header);
  if (other !== undefined) {
    // Where nothing is done nothing can be taken for done: a method with a slip in it must not spoil the file.
    if (ranges.size > 0 || other.name === KEY) throw ofOtherWork(file, other);
    return { keep: 0, size: bytes.length, ranges, marks: [], endAt: null, id: String(header.id) };
  }
  return { keep, size: bytes.length, ranges, marks, endAt, id: String(found.id) };
}

/** @param {string} file @param {string[]} lines @param {number} number */
function recordOf(file, lines, number) {
  try {
    return Object(JSON.parse(lines[number]));
  } catch {
    if (number === 0) throw noJournal(file);
    throw new UsageError(`farm map: line ${number + 1} of the journal ${shown(file)} is damaged; repair it, or begin with another journal`);
  }
}

/** @param {string} file */
function noJournal(file) {
  return new UsageError(`farm map: ${shown(file)} is no journal of farm map; nothing was written to it`);
}

/** @param {any} found @param {any} wanted */
function difference(found, wanted) {
  for (const name of Object.keys(wanted)) {
    if (name === 'id') continue;
    const [was, is] = [found[name], wanted[name]].map((value) => JSON.stringify(value) ?? 'nothing');
    if (was !== is) return { name, was, is };
  }
  return undefined;
}

/** @param {string} file @param {{ name: string, was: string, is: string }} difference */
function ofOtherWork(file, { name, was, is }) {
  const what = name === KEY ? 'version' : name;
  return new UsageError(`farm map: the journal ${shown(file)} is of other work: its ${what} is ${was}, this time ${is}; use another journal`);
}

module.exports = { Journal };
