'use strict';

/** How Node would load a file: by extension, else by the nearest package.json. */

const { readFileSync } = require('node:fs');
const path = require('node:path');

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);

/**
 * @param {string} file
 * @returns {'commonjs' | 'module' | 'unknown'} unknown: a .js or .ts file whose package says nothing
 */
function formatOf(file) {
  switch (path.extname(file)) {
    case '.cjs':
    case '.cts':
      return 'commonjs';
    case '.mjs':
    case '.mts':
      return 'module';
    default:
      return packageType(path.dirname(file));
  }
}

/**
 * @param {string} directory
 * @returns {'commonjs' | 'module' | 'unknown'}
 */
function packageType(directory) {
  for (let at = directory; ; at = path.dirname(at)) {
    // As in Node, a package's own type does not reach into its node_modules.
    if (path.basename(at) === 'node_modules') return 'unknown';
    const text = readOrNull(path.join(at, 'package.json'));
    if (text !== null) {
      const { type } = parseOrEmpty(text);
      return type === 'module' || type === 'commonjs' ? type : 'unknown';
    }
    if (at === path.dirname(at)) return 'unknown';
  }
}

/** @param {string} file */
function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** @param {string} text */
function parseOrEmpty(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** @param {string} file */
function isTypeScript(file) {
  return TYPESCRIPT.has(path.extname(file));
}

/**
 * Whether require() understands this TypeScript file: Node strips types, or a loader has registered the extension.
 * @param {string} file
 */
function canLoadTypeScript(file) {
  const features = /** @type {any} */ (process.features);
  return Boolean(features.typescript) || path.extname(file) in /** @type {any} */ (require('node:module'))._extensions;
}

module.exports = { formatOf, isTypeScript, canLoadTypeScript };
