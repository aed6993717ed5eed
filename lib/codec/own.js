'use strict';

/** A codec of the user's own: a module that exports encode(value) and decode(bytes), loaded by the farm and by each worker. */

const { FarmError } = require('../errors');

/** @typedef {{ encode: (value: unknown) => Uint8Array, decode: (bytes: Uint8Array) => unknown }} Hook */

/**
 * @param {string} file absolute path
 * @returns {Hook}
 */
function loadHook(file) {
  let exported;
  try {
    exported = require(file);
  } catch (cause) {
    throw codecError(file, `could not be loaded: ${/** @type {any} */ (cause)?.message ?? String(cause)}${adviceFor(cause)}`, cause);
  }
  const hook = [exported, exported?.default].find(isHook);
  if (hook === undefined) throw codecError(file, 'does not export the functions encode(value) and decode(bytes)');
  return hook;
}

/** @param {any} exported */
function isHook(exported) {
  return typeof exported?.encode === 'function' && typeof exported?.decode === 'function';
}

/** @param {any} cause */
function adviceFor(cause) {
  const isModule = cause?.code === 'ERR_REQUIRE_ESM' || cause?.code === 'ERR_REQUIRE_ASYNC_MODULE';
  // A farm is made in one synchronous step, so there is no moment to await an import in.
  return isModule ? ' Write it as CommonJS (.cjs), or as an ES module without top-level await on a Node.js that can require() those.' : '';
}

/**
 * @param {string} file
 * @param {string} what
 * @param {unknown} [cause]
 */
function codecError(file, what, cause) {
  const details = { option: 'codec', value: file };
  return new FarmError('ERR_FARM_OPTION', `The codec module ${file} ${what}`, cause === undefined ? details : { ...details, cause });
}

module.exports = { loadHook };
