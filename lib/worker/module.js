'use strict';

/**
 * Loads the user's worker module and says which of its functions can be called. Runs in the worker only.
 *
 * CommonJS is loaded with require(): it is quicker than import(), and start-up time counts. Everything else goes
 * through import(), which also waits for top-level await.
 */

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { formatOf, isTypeScript, canLoadTypeScript } = require('./format');
const { collectExports, describeExports } = require('./exports');

/**
 * @typedef {object} WorkerModule
 * @property {string} file
 * @property {Map<string, Function>} functions the callable methods by name
 * @property {Function | null} single what a call of the service itself runs
 * @property {Function | null} setup
 * @property {Function | null} teardown
 */

/** Names that are listed in an error; a module with hundreds of exports must not flood the log. */
const LISTED = 50;

/**
 * Loaded by the first error: a good start needs none.
 * @param {ConstructorParameters<typeof import('../errors').FarmError>} about
 */
function farmError(...about) {
  const { FarmError } = require('../errors');
  return new FarmError(...about);
}

/**
 * @param {string} file absolute path
 * @param {string} [url] its file: URL when it carries a query or fragment
 * @returns {Promise<WorkerModule>}
 */
async function loadModule(file, url) {
  let namespace;
  try {
    ({ namespace } = await load(file, url));
  } catch (error) {
    throw loadError(file, error);
  }
  const found = collectExports(namespace);
  if (found.single === null && found.functions.size === 0) {
    throw farmError(
      'ERR_FARM_START',
      `The worker module ${file} exports no function that can be called (${describeExports(namespace)}). ` +
        'Export functions by name, or one function as module.exports or default export.',
      { reason: 'load', file },
    );
  }
  return { file, ...found };
}

/**
 * In an object of its own: a module that exports a function named "then" would be taken for a promise.
 * @param {string} file
 * @param {string} [url]
 * @returns {Promise<{ namespace: any }>}
 */
async function load(file, url) {
  const format = formatOf(file);
  if (format === 'module' || (isTypeScript(file) && !canLoadTypeScript(file))) return importModule(file, url);
  try {
    return { namespace: require(file) };
  } catch (error) {
    // A .js file without a "type" may still be an ES module by its syntax; only import() can tell or wait for it.
    if (format === 'unknown' && mayBeModule(error)) return importModule(file, url);
    throw error;
  }
}

/** An export of the name "then", perhaps: `then` after `export`, in a list, or behind a star. */
const MAY_EXPORT_THEN = /\bexport\b[^;{]*(?<!\.)\bthen\b|[{,\s]then\s*[,}]|\bas\s+then\b|\bexport\s*\*/;

/**
 * import() takes the namespace of a module that exports "then" for a promise, and waits for it for ever. A module around
 * it keeps the two apart; it costs some milliseconds, so only where the text gives a reason.
 * @param {string} file
 * @param {string} [url]
 * @returns {Promise<{ namespace: any }>}
 */
async function importModule(file, url = pathToFileURL(file).href) {
  const { importByNode } = require('./import');
  if (!MAY_EXPORT_THEN.test(readFileSync(file, 'utf8'))) return { namespace: await importByNode(url) };
  const around = `import * as namespace from ${JSON.stringify(url)}; export const loaded = { namespace };`;
  return (await importByNode(`data:text/javascript,${encodeURIComponent(around)}`)).loaded;
}

/** @param {any} error */
function mayBeModule(error) {
  if (error === null || typeof error !== 'object') return false;
  if (error.code === 'ERR_REQUIRE_ESM' || error.code === 'ERR_REQUIRE_ASYNC_MODULE') return true;
  return (
    error.name === 'SyntaxError' &&
    /import statement outside|Unexpected token 'export'|await is only valid|import\.meta/.test(String(error.message))
  );
}

/**
 * @param {string} file
 * @param {any} error
 */
function loadError(file, error) {
  const props = { cause: error, reason: 'load', file };
  if (isTypeScript(file) && needsCompiler(error)) {
    const why =
      error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? `Node.js ${process.version} does not load TypeScript by itself`
        : String(error.message);
    // One that strips types and meets an enum or node_modules is new enough.
    const newer = error.code === 'ERR_UNKNOWN_FILE_EXTENSION' ? 'a Node.js that strips types (22.18 or newer), ' : '';
    return farmError(
      'ERR_FARM_START',
      `The worker module ${file} cannot be loaded: ${why}. Ways out: ${newer}` +
        "the option execArgv: ['--import', 'tsx'] with tsx installed, or compile it and pass the .js file.",
      props,
    );
  }
  const { textOf } = require('../errors');
  const what = error instanceof Error || typeof error?.message === 'string' ? `${textOf(error.name)}: ${textOf(error.message)}` : textOf(error);
  return farmError('ERR_FARM_START', `The worker module ${file} failed to load: ${what}${require('./syntax-place').syntaxPlace(error, file)}`, props);
}

/** @param {any} error */
function needsCompiler(error) {
  return (
    error?.code === 'ERR_UNKNOWN_FILE_EXTENSION' ||
    error?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ||
    error?.code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'
  );
}

/**
 * @param {WorkerModule} loaded
 * @param {string} method '' for the module's single function
 * @returns {Function}
 * @throws {FarmError} ERR_FARM_NO_METHOD
 */
function methodOf(loaded, method) {
  const found = method === '' ? loaded.single : loaded.functions.get(method);
  if (found) return found;
  throw noMethodError(loaded, method);
}

/**
 * @param {WorkerModule} loaded
 * @param {string} method
 */
function noMethodError(loaded, method) {
  const methods = [...loaded.functions.keys()];
  const shown = methods.slice(0, LISTED).join(', ') + (methods.length > LISTED ? `, and ${methods.length - LISTED} more` : '');
  const where = path.basename(loaded.file);
  const wanted =
    method === '' ? `${where} exports no single function, so the service itself cannot be called` : `${where} exports no function "${method}"`;
  const there = methods.length > 0 ? `It exports: ${shown}` : 'It exports no function by name';
  const single = loaded.single !== null && method !== '' ? '; the service itself can be called' : '';
  return farmError('ERR_FARM_NO_METHOD', `${wanted}. ${there}${single}.`, {
    method,
    methods: methods.slice(0, LISTED),
    file: loaded.file,
  });
}

/**
 * @param {Function} called
 * @param {any[]} args the method's name first
 */
function call(called, args) {
  switch (args.length) {
    case 1:
      return called();
    case 2:
      return called(args[1]);
    case 3:
      return called(args[1], args[2]);
    default:
      return called(...args.slice(1));
  }
}

/** @param {any} value */
function isThenable(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function') && typeof value.then === 'function';
}

module.exports = { call, isThenable, loadModule, methodOf };
