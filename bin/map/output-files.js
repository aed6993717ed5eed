'use strict';

/** Results as files: each written beside its place under another name, then renamed, so that it is there whole or not at all. */

const fs = require('node:fs');
const path = require('node:path');
const { pathOf, shown } = require('./names');
const { FatalError, UsageError } = require('./exit');
const { Gate } = require('./gate');
const { Temporaries } = require('./temporaries');

/** With these no other file can be written either. */
const HOPELESS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

/** More at a time are not written any faster, and descriptors are few. */
const OPEN = 16;

class OutputFiles {
  /** @type {Set<string>} directories that are there */
  #made = new Set();
  /** @type {Set<string>} directories with names that may not be on the disk */
  #touched = new Set();
  #gate = new Gate(OPEN);
  bytes = 0;
  full = false;
  durable = false;
  temporaries = new Temporaries('');

  /**
   * @param {string[]} inputs
   * @param {{ out: string, ext?: string }} options
   */
  constructor(inputs, { out, ext }) {
    this.out = out;
    this.targets = targetsOf(inputs, out, ext);
  }

  /** Nothing is written before. @param {string | null} journal its id; what is written is durable when there is one */
  begin(journal) {
    this.durable = journal !== null;
    this.temporaries = new Temporaries(journal ?? '');
    try {
      makeFolder(path.resolve(this.out));
      const probe = pathOf(this.temporaries.in(path.resolve(this.out), 'probe'));
      fs.writeFileSync(probe, '');
      fs.unlinkSync(probe);
    } catch (error) {
      throw new UsageError(`farm map: cannot write to --out ${shown(this.out)}: ${/** @type {Error} */ (error).message}`);
    }
  }

  /**
   * @param {number} index
   * @param {string | Uint8Array | null} encoded
   * @returns {Promise<void> | undefined}
   */
  accept(index, encoded) {
    return encoded === null ? undefined : this.#gate.through(() => this.#write(index, encoded));
  }

  /** @param {number} index @param {string | Uint8Array} encoded */
  async #write(index, encoded) {
    const target = this.targets[index];
    const directory = path.dirname(target);
    try {
      if (!this.#made.has(directory)) {
        await fs.promises.mkdir(pathOf(directory), { recursive: true });
        this.#made.add(directory);
      }
      await this.temporaries.sweep(directory);
      await this.temporaries.replace(target, index, (temporary) => writeWhole(temporary, encoded, this.durable));
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      const text = `cannot write ${shown(target)}: ${message}`;
      throw HOPELESS.has(code) ? new FatalError(text) : new Error(text);
    }
    this.#touched.add(directory);
    this.bytes += typeof encoded === 'string' ? Buffer.byteLength(encoded) : encoded.length;
  }

  /** Makes the names of what was written durable. */
  async settled() {
    const directories = [...this.#touched];
    this.#touched.clear();
    await Promise.all(
      directories.map(async (directory) => {
        const handle = await fs.promises.open(pathOf(directory), 'r');
        await handle.sync().finally(() => handle.close());
      }),
    );
  }

  async end() {}

  /** Leaves no half-written file when the command ends at once. */
  discard() {
    return this.temporaries.discard();
  }
}

/** @param {string | Buffer} file @param {string | Uint8Array} content @param {boolean} durable */
async function writeWhole(file, content, durable) {
  const handle = await fs.promises.open(file, 'w');
  try {
    await handle.writeFile(content);
    // Before the rename: after a power loss the name must not stand for less.
    if (durable) await handle.datasync();
  } finally {
    await handle.close();
  }
}

/**
 * @param {string[]} inputs
 * @param {string} out
 * @param {string} [ext]
 * @returns {string[]} the output of each input
 */
function targetsOf(inputs, out, ext) {
  const absolute = inputs.map((name) => path.resolve(name));
  const root = commonDirectory(absolute);
  const targets = absolute.map((name) => {
    const below = name.slice(root.length);
    const renamed = ext === undefined ? below : below.slice(0, below.length - path.extname(below).length) + ext;
    return path.join(path.resolve(out), renamed);
  });
  refuseCollisions(inputs, absolute, targets);
  return targets;
}

/** @param {string[]} absolute @returns {string} with a slash at its end */
function commonDirectory(absolute) {
  if (absolute.length === 0) return '/';
  let common = path.dirname(absolute[0]);
  for (const name of absolute) while (common !== '/' && !name.startsWith(`${common}/`)) common = path.dirname(common);
  return common === '/' ? common : `${common}/`;
}

/** @param {string[]} inputs @param {string[]} absolute @param {string[]} targets */
function refuseCollisions(inputs, absolute, targets) {
  /** @type {Map<string, string>} */
  const taken = new Map();
  const sources = new Set(absolute);
  const directories = new Set();
  targets.forEach((target, index) => {
    const other = taken.get(target);
    if (other !== undefined) throw new UsageError(`farm map: ${shown(other)} and ${shown(inputs[index])} would both be written to ${shown(target)}`);
    if (sources.has(target)) throw new UsageError(`farm map: ${shown(inputs[index])} would be written over the input ${shown(target)}; choose another --out or --ext`);
    taken.set(target, inputs[index]);
    for (let above = path.dirname(target); !directories.has(above) && above !== '/'; above = path.dirname(above)) directories.add(above);
  });
  for (const [target, input] of taken) {
    if (directories.has(target)) throw new UsageError(`farm map: ${shown(target)} would be the output of ${shown(input)} and a directory of other outputs`);
  }
}

/**
 * Not with `recursive`: where a file system takes no folders (/proc) Node.js tries that for ever.
 * @param {string} directory absolute
 */
function makeFolder(directory) {
  const isThere = () => fs.statSync(pathOf(directory), { throwIfNoEntry: false })?.isDirectory();
  if (isThere()) return;
  makeFolder(path.dirname(directory));
  try {
    fs.mkdirSync(pathOf(directory));
  } catch (error) {
    // Somebody else may have been quicker.
    if (!isThere()) throw error;
  }
}

module.exports = { OutputFiles };
