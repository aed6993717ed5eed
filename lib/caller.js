'use strict';

/** Finds the file that called into farm, since a relative worker path is looked up beside it. */

const path = require('node:path');
const { fileURLToPath } = require('node:url');

const ROOT = path.dirname(__dirname);

/** Directories of this package whose frames are ours; what lies elsewhere in it, such as its tests, is a caller. */
const OWN = [__dirname, path.join(ROOT, 'compat')].map((directory) => directory + path.sep);
const OWN_FILES = new Set([path.join(ROOT, 'index.js')]);

/** Deep enough for a farm that is made through several layers of a framework. */
const FRAMES = 64;

/** @returns {string | undefined} directory of the calling file; undefined in --eval, the REPL and the like */
function callerDirectory() {
  for (const frame of frames()) {
    const file = fileOf(frame);
    if (file !== undefined && !OWN_FILES.has(file) && !OWN.some((directory) => file.startsWith(directory))) {
      return path.dirname(file);
    }
  }
  return undefined;
}

/** @returns {NodeJS.CallSite[]} */
function frames() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  /** @type {NodeJS.CallSite[]} */
  let sites = [];
  try {
    Error.stackTraceLimit = FRAMES;
    Error.prepareStackTrace = (_, found) => {
      sites = found;
      return '';
    };
    const holder = {};
    Error.captureStackTrace(holder, frames);
    void /** @type {any} */ (holder).stack;
  } catch {
    // Frozen intrinsics: the working directory is still looked at.
  } finally {
    restore(prepareStackTrace, stackTraceLimit);
  }
  return sites;
}

/**
 * @param {typeof Error.prepareStackTrace} prepareStackTrace
 * @param {number} stackTraceLimit
 */
function restore(prepareStackTrace, stackTraceLimit) {
  try {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // They could not be changed either.
  }
}

/**
 * @param {NodeJS.CallSite} frame
 * @returns {string | undefined}
 */
function fileOf(frame) {
  const name = frame.getFileName();
  if (typeof name !== 'string') return undefined;
  if (name.startsWith('file:')) {
    try {
      return fileURLToPath(name);
    } catch {
      return undefined;
    }
  }
  return path.isAbsolute(name) ? name : undefined;
}

module.exports = { callerDirectory };
