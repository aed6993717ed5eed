'use strict';

/**
 * The file that Node runs in a worker. And what loads the package's own files, in workers and in their parent, past Node's
 * loader: that one looks for each file in several ways, reads package.json files and asks for hooks, and where our own lie
 * is known. What V8 made of a file when the package was built is taken where it was this very Node (scripts/code-cache.mjs)
 * and the file still says the same. Packages, and all that the user's module requires, go through Node's.
 *
 * One file for both: a second one costs each worker a millisecond.
 */

const { readFileSync, statSync } = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const LIB = path.dirname(__dirname);
/** How the place of this file ends, where it is one: a bundle has its code under another name. */
const NAME = path.join(path.sep, 'lib', 'worker', 'entry.js');
const HEAD = '(function (exports, require, module, __filename, __dirname) { ';
const TAIL = '\n})';
/** Bytes from one that is looked at to the next: four to each page of a file. */
const SPOTS = 1021;
/** Left to Node: the user's module may have FarmError by `require('farm')`, and `instanceof` must hold; and import(). */
const SHARED = new Set(['errors', 'worker/import']);
/** Hooks that hand Node a file's text (module.register()) have it give that file another require(), without a cache. */
const byNode = require.cache === undefined ? require('node:module').createRequire(__filename) : require;

/** @typedef {{ exports: any, script?: Script }} OwnModule */
/** @typedef {(name: string, file: string) => { source: Buffer, code: Buffer } | undefined} Kept */
/** @typedef {{ name: string, loaded: Map<string, OwnModule>, kept?: WeakRef<Kept> }} Side */

/** @type {Map<string, Side>} */
const sides = new Map();

/**
 * @param {'farm' | 'worker'} side whose code is at hand; the two need other files
 * @returns {((name: string) => any) | null} loads a file of lib/, by its name there without `.js`; null where Node's loader
 *   has to: in a realm of its own, such as a test of Jest has, which our code would not belong to, and in a bundle, where
 *   there are no files
 */
function loaderOf(side) {
  if (Object.getPrototypeOf(readFileSync) !== Function.prototype) return null;
  if (!path.isAbsolute(__filename) || !__filename.endsWith(NAME)) return null;
  const found = sides.get(side) ?? { name: side, loaded: new Map() };
  sides.set(side, found);
  return (name) => load(name, found);
}

/**
 * @param {string} name
 * @param {Side} side
 */
function load(name, side) {
  if (SHARED.has(name)) return byNode(`${LIB}/${name}`);
  const there = side.loaded.get(name);
  if (there !== undefined) return there.exports;
  /** @type {OwnModule} */
  const module = { exports: {} };
  side.loaded.set(name, module);
  try {
    run(name, module, side);
  } catch (error) {
    // As Node does it: who requires it again hears the same, and gets nothing half done.
    side.loaded.delete(name);
    throw error;
  }
  return module.exports;
}

/**
 * @param {string} name
 * @param {OwnModule} module
 * @param {Side} side
 */
function run(name, module, side) {
  const file = `${LIB}/${name}.js`;
  const known = keptOf(side)(name, file);
  const source = known === undefined ? readFileSync(file) : known.source;
  module.script = new Script(`${HEAD}${source}${TAIL}`, { filename: file, columnOffset: -HEAD.length, cachedData: known?.code });
  const ours = (/** @type {string} */ id) => {
    if (id.endsWith('.node')) return addon(id);
    if (!id.startsWith('.')) return byNode(id);
    const wanted = nameFrom(name, id);
    return id.endsWith('.js') ? byNode(`${LIB}/${wanted}`) : load(wanted, side);
  };
  module.script.runInThisContext().call(module.exports, module.exports, ours, module, file, path.dirname(file));
}

/**
 * By the language's own functions: those of node:path look at each letter.
 * @param {string} from a name
 * @param {string} id what it requires
 */
function nameFrom(from, id) {
  const parts = from.split('/');
  parts.pop();
  for (const part of id.split('/')) {
    if (part === '.') continue;
    if (part === '..' && parts.length > 0) parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/**
 * As Node's loader does it, without looking for a file whose place is known; others may load it too, by require('farm').
 * @param {string} file
 */
function addon(file) {
  const known = byNode.cache[file];
  if (known !== undefined) return known.exports;
  const own = new /** @type {any} */ (module.constructor)(file);
  process.dlopen(own, file);
  own.filename = file;
  own.loaded = true;
  byNode.cache[file] = own;
  return own.exports;
}

/**
 * Not held: half a MB, and after the start few files are loaded.
 * @param {Side} side
 */
function keptOf(side) {
  const there = side.kept?.deref();
  if (there !== undefined) return there;
  const kept = keptBy(side.name);
  side.kept = new WeakRef(kept);
  return kept;
}

/** @param {string} side */
function codeFile(side) {
  return path.join(LIB, 'code-cache', `${side}-${process.version}-${process.arch}.bin`);
}

/**
 * Pages of a file that a failed disk or copy has left empty show in it; to look at every byte would take a millisecond.
 * @param {Uint8Array} bytes
 * @param {number} start where the part that counts begins
 */
function spotSum(bytes, start) {
  let sum = 0;
  const end = bytes.length;
  for (let i = start; i < end; i += SPOTS) sum += bytes[i];
  return sum;
}

/**
 * Kept are: the length of a table, four bytes, little endian; the table, JSON: `{ node, place, length, sum, files: { [name]:
 * [at, length of the text, time of the file, length of the code] } }`, `node` the size of its binary, `place` that of lib/
 * where it matters, `length` that of what follows and `sum` its `spotSum`; texts, the code behind each.
 * @param {string} file
 * @throws where there is none, or it is not whole
 */
function readKept(file) {
  const bytes = readFileSync(file);
  const start = 4 + bytes.readUInt32LE(0);
  const { node, place, length, sum, files } = JSON.parse(bytes.toString('utf8', 4, start));
  if (start + length !== bytes.length || sum !== spotSum(bytes, start)) throw new Error(`${file} is not whole`);
  return { bytes, start, node, place, files };
}

/**
 * V8 looks whether code is of its version and flags, and at nothing else: not at the text beyond its length, nor whether the
 * bytes are whole. So what it was made of stands beside it. Where a file is of another time, as those are that were packed
 * and installed, its text is compared.
 * @param {string} side
 * @returns {Kept}
 */
function keptBy(side) {
  try {
    const { bytes, start, node, place, files } = readKept(codeFile(side));
    // V8 has the place in the code, and until Node 22 shows that one in stacks.
    if (node !== statSync(process.execPath).size || (place !== null && place !== LIB)) return () => undefined;
    return (name, file) => {
      const row = files[name];
      if (row === undefined) return undefined;
      const [at, size, time, codeSize] = row;
      const source = bytes.subarray(start + at, start + at + size);
      const now = statSync(file);
      if (now.size !== size || (now.mtimeMs !== time && !source.equals(readFileSync(file)))) return undefined;
      return { source, code: bytes.subarray(start + at + size, start + at + size + codeSize) };
    };
  } catch {
    // None was made for this Node: V8 compiles.
    return () => undefined;
  }
}

/**
 * For scripts/code-cache.
 * @param {string} side
 * @returns {[name: string, script: Script][]} what it has loaded
 */
function scriptsOf(side) {
  const { loaded } = /** @type {Side} */ (sides.get(side));
  return [...loaded].map(([name, { script }]) => [name, /** @type {Script} */ (script)]);
}

module.exports = { loaderOf, codeFile, readKept, scriptsOf, spotSum };

// Of the worker's program, until lib/worker/bootstrap.js makes this the user's module: hooks have it run again when that
// requires farm.
if (process.argv[1]?.endsWith(NAME)) {
  if (require.main === module) /** @type {(file: string) => any} */ (loaderOf('worker'))('worker/bootstrap');
  // Something that Node loads ahead of its program (--require) may use farm, in a worker too: what it has loaded then must
  // not pass for the program, by whichever link of this file that is called.
  else delete byNode.cache[__filename];
}
