'use strict';

/**
 * Files beside their places until they are whole. Their names tell whose they are, so that a later command removes those
 * of commands that were killed. (A file without a name would leave nothing behind, but Node.js has no linkat() to give it one.)
 *
 *   .farm-map-<machine>.<process>.<its start>.<journal>-<number>.tmp
 */

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathOf } = require('./names');
const { startOf } = require('./processes');

const NAME = /^\.farm-map-([0-9a-f]{8})\.(\d+)\.(\d*)\.([0-9a-z]*)-\w+\.tmp$/;
/** What is being written when a command is to end at once has so long (ms) to come to its end. */
const PATIENCE = 500;

/** A number of a process means something only where it was given. */
function machine() {
  let space = '';
  try {
    space = fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    // Then the name of the machine has to do.
  }
  return createHash('sha256').update(`${os.hostname()} ${space}`).digest('hex').slice(0, 8);
}

class Temporaries {
  #machine = machine();
  #pid = String(process.pid);
  #start = startOf(process.pid);
  /** @type {Map<string, Promise<void>>} those being written */
  #open = new Map();
  /** @type {Map<string, Promise<void>>} directories that have been looked through */
  #swept = new Map();

  /** @param {string} journal the id of the journal, '' without one */
  constructor(journal) {
    this.journal = journal;
  }

  /** @param {string} directory @param {number | string} number */
  in(directory, number) {
    return path.join(directory, `.farm-map-${this.#machine}.${this.#pid}.${this.#start}.${this.journal}-${number}.tmp`);
  }

  /**
   * Writes under another name and then renames.
   * @param {string} target
   * @param {number} index
   * @param {(temporary: string | Buffer) => Promise<void>} write
   */
  async replace(target, index, write) {
    const temporary = this.in(path.dirname(target), index);
    const work = this.#replace(pathOf(temporary), pathOf(target), write);
    this.#open.set(temporary, work);
    try {
      await work;
    } finally {
      this.#open.delete(temporary);
    }
  }

  /** @param {string | Buffer} temporary @param {string | Buffer} target @param {(temporary: string | Buffer) => Promise<void>} write */
  async #replace(temporary, target, write) {
    try {
      await write(temporary);
      await fs.promises.rename(temporary, target);
    } catch (error) {
      await fs.promises.rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /**
   * Removes from a directory what commands that are no more have left in it; once for each directory.
   * @param {string} directory
   * @returns {Promise<void>}
   */
  sweep(directory) {
    const under = this.#swept.get(directory) ?? this.#sweep(directory);
    this.#swept.set(directory, under);
    return under;
  }

  /** @param {string} directory */
  async #sweep(directory) {
    try {
      for (const name of await fs.promises.readdir(pathOf(directory))) {
        if (!this.#isLeft(name)) continue;
        const file = pathOf(path.join(directory, name));
        // Whether somebody else's process lives may not be told (hidepid).
        if ((await fs.promises.lstat(file)).uid === process.getuid?.()) await fs.promises.rm(file, { force: true });
      }
    } catch {
      // Tidiness is no reason to fail.
    }
  }

  /** @param {string} name */
  #isLeft(name) {
    const [, place, pid, start, journal] = NAME.exec(name) ?? [];
    if (pid === undefined || (place === this.#machine && pid === this.#pid && start === this.#start)) return false;
    // A journal is for one command at a time, and this is it.
    if (journal !== '' && journal === this.journal) return true;
    return place === this.#machine && startOf(Number(pid)) !== start;
  }

  /** The command ends at once: nothing of what is being written shall stay. */
  async discard() {
    if (this.#open.size === 0) return;
    const settled = Promise.allSettled(this.#open.values());
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())]);
    for (const temporary of this.#open.keys()) fs.rmSync(pathOf(temporary), { force: true });
  }
}

module.exports = { Temporaries };
