'use strict';

/** Files and globs of the command line, as names of files that exist. */

const fs = require('node:fs');
const path = require('node:path');
const { nameOf, pathOf, shown } = require('./names');
const { UsageError } = require('./exit');

/**
 * @param {string[]} given
 * @returns {Promise<{ names: string[], sizes: number[] }>} each name once, in the order given; those of a glob sorted
 */
async function filesOf(given) {
  const sizes = new Map();
  const wrong = [];
  for (const argument of given) {
    const there = statOf(argument);
    if (there !== undefined) {
      const trouble = troubleWith(argument, there);
      if (trouble === null) sizes.set(path.posix.normalize(argument), there.size);
      else wrong.push(trouble);
      continue;
    }
    const { isDynamicPattern } = require('tinyglobby');
    if (!isDynamicPattern(argument)) {
      wrong.push(`no such file: ${shown(argument)}`);
      continue;
    }
    const found = await expand(argument);
    for (const { name, code } of found.unreadable) wrong.push(`cannot read the directory ${shown(name)} (${code}), which ${shown(argument)} goes through`);
    if (found.names.length === 0 && found.unreadable.length === 0) wrong.push(`no file matches ${shown(argument)}`);
    for (const name of found.names) {
      const stats = statOf(name);
      // A file may go between the listing and this look; a glob names what is there.
      if (stats?.isFile()) sizes.set(name, stats.size);
    }
  }
  if (wrong.length > 0) throw new UsageError(wrong.map((line) => `farm map: ${line}`).join('\n'));
  return { names: [...sizes.keys()], sizes: [...sizes.values()] };
}

/** @param {string} name */
function statOf(name) {
  try {
    return fs.statSync(pathOf(name), { throwIfNoEntry: false });
  } catch (error) {
    // A zero byte, a loop of links, a file used as a directory, no permission: said by whoever needs the file.
    const { code } = /** @type {any} */ (error);
    if (code === 'ENOTDIR' || code === 'ERR_INVALID_ARG_VALUE') return undefined;
    throw new UsageError(`farm map: cannot look at ${shown(name)}: ${code}`, { cause: error });
  }
}

/**
 * @param {string} name
 * @param {fs.Stats} stats
 * @returns {string | null} why this is no input
 */
function troubleWith(name, stats) {
  if (!stats.isDirectory()) return null;
  const example = path.posix.join(name, '**/*');
  return `${shown(name)} is a directory; name the files in it${shown(example) === example ? `, for example '${example}'` : ''}`;
}

/**
 * @param {string} pattern
 * @returns {Promise<{ names: string[], unreadable: { name: string, code: string }[] }>}
 */
async function expand(pattern) {
  const { glob } = require('tinyglobby');
  /** @type {{ name: string, code: string }[]} */
  const unreadable = [];
  const names = await glob(hidden(pattern), { expandDirectories: false, absolute: path.isAbsolute(pattern), fs: fileSystem(unreadable) });
  return { names: names.map(revealed).sort(), unreadable };
}

/** The pattern `**` does not go over line ends; while it is matched other characters, that no name has, stand for them. */
const LINE_ENDS = '\n\r\u2028\u2029';
const STAND_INS = '\udc0a\udc0d\udc28\udc29';

/** @param {string} name */
function hidden(name) {
  return name.replace(/[\n\r\u2028\u2029]/g, (end) => STAND_INS[LINE_ENDS.indexOf(end)]);
}

/** @param {string} name */
function revealed(name) {
  return /** @type {any} */ (name).isWellFormed() ? name : Array.from(name, (character) => LINE_ENDS[STAND_INS.indexOf(character)] ?? character).join('');
}

/**
 * The file system in names that hold any bytes; directories that cannot be read are written down.
 * @param {{ name: string, code: string }[]} unreadable
 * @returns {any}
 */
function fileSystem(unreadable) {
  return {
    /** @param {string} name @param {any} _options @param {(error: any, entries: any) => void} done */
    readdir(name, _options, done) {
      fs.readdir(pathOf(revealed(name)), { withFileTypes: true, encoding: 'buffer' }, (error, entries) => {
        if (error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR') unreadable.push({ name: revealed(name), code: String(error.code) });
        done(error, error ? [] : entries.map((entry) => named(/** @type {any} */ (entry))));
      });
    },
    /** @param {string} name @param {(error: any, resolved?: string) => void} done */
    realpath(name, done) {
      fs.realpath(pathOf(revealed(name)), { encoding: 'buffer' }, (error, bytes) => done(error, error ? undefined : hidden(nameOf(bytes))));
    },
    /** @param {string} name @param {(error: any, stats: any) => void} done */
    stat: (name, done) => fs.stat(pathOf(revealed(name)), done),
  };
}

/** @param {fs.Dirent & { name: any }} entry */
function named(entry) {
  return {
    name: hidden(nameOf(entry.name)),
    isFile: () => entry.isFile(),
    isDirectory: () => entry.isDirectory(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  };
}

module.exports = { filesOf, statOf, troubleWith };
