'use strict';

/**
 * The file that Node runs in a worker: loads lib/worker/bootstrap.js and what that one needs. Node's own loader looks for
 * each file in several ways, reads package.json files and asks for hooks, a third of a millisecond for each of some
 * fifteen files; where our own lie is known. The user's module and all it requires go through Node's.
 */

const { readFileSync } = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

/** Left to Node: the user's module may have FarmError by `require('farm')`, and `instanceof` must hold; and import(). */
const SHARED = new Set([path.join(__dirname, '..', 'errors.js'), path.join(__dirname, 'import.js')]);
/** The addon; lib/worker-program.js names it. */
const ADDON = process.argv[3];
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

/** By file. @type {Map<string, { exports: any }>} */
const loaded = new Map();

/**
 * @param {string} file
 * @returns {any} its exports
 */
function load(file) {
  const known = loaded.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(file, module);
  const directory = path.dirname(file);
  const ours = (/** @type {string} */ id) => {
    if (id === ADDON) return loadAddon(id);
    if (!id.startsWith('.')) return require(id);
    const wanted = path.join(directory, `${id}.js`);
    return SHARED.has(wanted) ? require(wanted) : load(wanted);
  };
  const run = vm.compileFunction(readFileSync(file, 'utf8'), PARAMETERS, { filename: file });
  run.call(module.exports, module.exports, ours, module, file, directory);
  return module.exports;
}

/**
 * As Node's loader does it, without looking for a file whose place is known; the module may load it too, by require('farm').
 * @param {string} file
 */
function loadAddon(file) {
  const own = new /** @type {any} */ (module.constructor)(file);
  process.dlopen(own, file);
  own.filename = file;
  own.loaded = true;
  require.cache[file] = own;
  return own.exports;
}

load(path.join(__dirname, 'bootstrap.js'));
