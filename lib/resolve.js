'use strict';

/** Finds the worker's file, or throws at once and names every place that was looked at. */

const { statSync } = require('node:fs');
const { createRequire, isBuiltin } = require('node:module');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { FarmError } = require('./errors');
const { callerDirectory } = require('./caller');

const EXTENSIONS = ['.js', '.cjs', '.mjs', '.ts', '.mts', '.cts'];

/** TypeScript sources name the file that will be compiled; before that only the source is there. */
const SOURCE_OF = new Map([
  ['.js', '.ts'],
  ['.mjs', '.mts'],
  ['.cjs', '.cts'],
]);

/**
 * @typedef {{ file: string, url?: string }} Resolved `url` only where it says more than the file: a query or a fragment
 */

/**
 * @param {any} source path, package name, file: URL, or `{ fork }` around one of them
 * @param {string[]} [directories] where a relative path is looked up, in this order
 * @returns {Resolved}
 */
function resolveWorker(source, directories) {
  if (isFork(source) && !isFork(source.fork)) return resolveWorker(source.fork, directories);
  if (isFileUrl(source)) return resolveUrl(source);
  if (typeof source !== 'string') {
    throw startError(`The worker must be a path, a file: URL or { fork: path }, not ${describe(source)}`, []);
  }
  if (source.trim() === '') throw startError('The worker is an empty string; give the path of a module', []);
  if (path.isAbsolute(source)) return resolvePath(source, [source]);
  const from = directories ?? startingPoints();
  return resolvePath(source, from.map((directory) => path.resolve(directory, source)), from);
}

/**
 * The codec of a farm: a word, or the file of a module that is found like a worker module.
 * @param {'default' | 'json' | string | URL} codec
 * @param {string[]} [directories]
 * @returns {string}
 */
function resolveCodec(codec, directories) {
  if (codec === 'default' || codec === 'json') return codec;
  try {
    return resolveWorker(codec, directories).file;
  } catch (cause) {
    const { looked, message } = /** @type {any} */ (cause);
    const why = looked.length > 0 ? ` Looked at:${listOf(looked)}` : ` (${message})`;
    const text = `codec must be 'default', 'json' or a module that exports encode and decode; no module ${describe(codec)} was found.${why}`;
    throw new FarmError('ERR_FARM_OPTION', text, { option: 'codec', value: codec, looked });
  }
}

/** @returns {string[]} */
function startingPoints() {
  const beside = callerDirectory();
  const working = process.cwd();
  return beside === undefined || beside === working ? [working] : [beside, working];
}

/** @param {any} source */
function isFork(source) {
  return source !== null && typeof source === 'object' && !isFileUrl(source) && Object.hasOwn(source, 'fork');
}

/** @param {any} source */
function isFileUrl(source) {
  if (typeof source === 'string') return /^(?:[a-z][a-z0-9+.-]+):\/\/|^(?:file|data):/i.test(source);
  return source !== null && typeof source === 'object' && typeof source.href === 'string' && typeof source.protocol === 'string';
}

/**
 * @param {string | URL} source
 * @returns {Resolved}
 */
function resolveUrl(source) {
  let url;
  try {
    url = new URL(typeof source === 'string' ? source : source.href);
  } catch (error) {
    throw startError(`The worker ${describe(source)} is no valid URL`, [], error);
  }
  if (url.protocol !== 'file:') throw startError(`The worker ${describe(url.href)} is no file: URL; a worker is a file of this machine`, []);
  let file;
  try {
    file = fileURLToPath(url);
  } catch (error) {
    throw startError(`The worker ${url.href} names no file`, [], error);
  }
  const found = resolvePath(file, [file]);
  // A query or fragment makes another instance of an ES module, so it is kept.
  return url.search + url.hash === '' ? found : { file: found.file, url: pathToFileURL(found.file).href + url.search + url.hash };
}

/**
 * @param {string} source
 * @param {string[]} bases absolute paths
 * @param {string[]} [packageRoots] directories from which a package name is looked up
 * @returns {Resolved}
 */
function resolvePath(source, bases, packageRoots = []) {
  /** @type {string[]} */
  const looked = [];
  for (const base of bases) {
    const file = fileAt(base, looked);
    if (file !== undefined) return { file };
  }
  if (/^[^./\\]/.test(source)) {
    for (const root of packageRoots) {
      const file = packageFile(source, root, looked);
      if (file !== undefined) return { file };
    }
  }
  throw startError(`No worker module ${describe(source)} was found. Looked at:${listOf(looked)}`, looked);
}

/** @param {string[]} looked */
function listOf(looked) {
  return looked.map((place) => `\n  - ${printable(place)}`).join('');
}

/**
 * @param {string} base
 * @param {string[]} looked
 */
function fileAt(base, looked) {
  const kind = kindOf(base);
  if (kind === 'file') return base;
  const extension = path.extname(base);
  const candidates = EXTENSIONS.map((ending) => base + ending);
  const compiledFrom = SOURCE_OF.get(extension);
  if (compiledFrom !== undefined) candidates.unshift(base.slice(0, -extension.length) + compiledFrom);
  const found = candidates.find((candidate) => kindOf(candidate) === 'file');
  if (found !== undefined) return found;
  const what = kind === 'directory' ? ' (a directory; name the file in it)' : kind === 'other' ? ' (not a regular file)' : '';
  looked.push(base + what + (what === '' ? ` (also with ${EXTENSIONS.join(' ')})` : ''));
  return undefined;
}

/**
 * @param {string} file
 * @returns {'file' | 'directory' | 'other' | undefined}
 */
function kindOf(file) {
  let stats;
  try {
    stats = statSync(file, { throwIfNoEntry: false });
  } catch {
    // A zero byte, a file used as a directory, no permission: nothing to load there.
    return undefined;
  }
  if (stats === undefined) return undefined;
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
}

/**
 * @param {string} name
 * @param {string} root
 * @param {string[]} looked
 */
function packageFile(name, root, looked) {
  if (isBuiltin(name)) {
    looked.push(`${name} (a module of Node.js itself)`);
    return undefined;
  }
  try {
    return createRequire(path.join(root, 'noop.js')).resolve(name);
  } catch (error) {
    const code = /** @type {any} */ (error)?.code;
    looked.push(`package ${name} from ${root}${whyNot(name, code)}`);
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {string | undefined} code
 */
function whyNot(name, code) {
  if (code === undefined || code === 'MODULE_NOT_FOUND') return '';
  // Only the loader of ES modules knows what a package exports to import alone, and createService() is no async function.
  const advice = code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? `; if it is for import only, give import.meta.resolve(${JSON.stringify(name)})` : '';
  return ` (${code}${advice})`;
}

/**
 * For a message: a path may be of any length, and hold anything.
 * @param {string} text
 */
function printable(text) {
  const short = text.length > 500 ? `${text.slice(0, 300)}...${text.slice(-197)}` : text;
  return short.replace(/[\0-\x1f\x7f]/g, (sign) => JSON.stringify(sign).slice(1, -1));
}

/** @param {unknown} source */
function describe(source) {
  if (typeof source === 'string') return JSON.stringify(source.length > 200 ? `${source.slice(0, 197)}...` : source);
  if (source === null || source === undefined) return String(source);
  return Array.isArray(source) ? 'an array' : `a value of type ${typeof source}`;
}

/**
 * @param {string} message
 * @param {string[]} looked
 * @param {unknown} [cause]
 */
function startError(message, looked, cause) {
  const props = { reason: 'resolve', looked };
  return new FarmError('ERR_FARM_START', message, cause === undefined ? props : { ...props, cause });
}

module.exports = { resolveWorker, resolveCodec };
