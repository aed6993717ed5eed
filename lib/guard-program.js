'use strict';

/** The program of the guard, which lies beside the addon: it ends what workers have started when this process is gone. */

const fs = require('node:fs');
const path = require('node:path');
const { FarmError } = require('./errors');
const { remedy } = require('./native-addon');

/** Where the package has it, each written out: tools that gather a program's files read here that it belongs to them. */
const IN_PACKAGE = [
  path.join(__dirname, '../farm-guard.linux-x64-gnu'),
  path.join(__dirname, '../farm-guard.linux-arm64-gnu'),
  path.join(__dirname, '../farm-guard.linux-x64-musl'),
  path.join(__dirname, '../farm-guard.linux-arm64-musl'),
];

/** Found once. @type {string | undefined} */
let found;

/**
 * @param {string} addon its file
 * @returns {string}
 * @throws {FarmError} ERR_FARM_START
 */
function guardProgram(addon) {
  if (found !== undefined) return found;
  const file = path.join(path.dirname(path.resolve(addon)), path.basename(addon).replace(/^farm\.(.*)\.node$/, 'farm-guard.$1'));
  try {
    fs.accessSync(file, fs.constants.X_OK);
  } catch (cause) {
    const problem = fs.existsSync(file) ? 'cannot be executed' : 'is not there';
    throw new FarmError(
      'ERR_FARM_START',
      `The guard program ${file} ${problem}. ${remedy()}; or do without it: killTree: false`,
      { reason: 'resolve', file, cause },
    );
  }
  found = file;
  return file;
}

let warned = false;

/** Tasks go on without a guard; the user is told once. @param {string} message */
function unguarded(message) {
  if (warned) return;
  warned = true;
  process.emitWarning(`What workers start would outlive this process: the guard program ${message}`, { type: 'FarmWarning', code: 'FARM_UNGUARDED' });
}

module.exports = { guardProgram, unguarded, IN_PACKAGE };
