'use strict';

/** Where a syntax error of a worker module is: its message does not say it. */

const { fileURLToPath } = require('node:url');

/** ms; a check takes some fifty. */
const PATIENCE = 5000;

/**
 * @param {any} error that loading `file` has thrown
 * @param {string} file
 * @returns {string} such as ' (/app/worker.js, line 7)'; '' when nothing is known
 */
function syntaxPlace(error, file) {
  if (error?.name !== 'SyntaxError') return '';
  return placeIn(String(error.stack)) || placeIn(checked(file));
}

/** The first line of what Node.js writes about a syntax error. @param {string} text */
function placeIn(text) {
  const [, file, line] = /^(\S.*):(\d+)\r?\n/.exec(text) ?? [];
  if (file === undefined) return '';
  return ` (${file.startsWith('file:') ? fileURLToPath(file) : file}, line ${line})`;
}

/** Of an ES module Node.js tells the place only where the error ends a process. @param {string} file */
function checked(file) {
  const { spawnSync } = require('node:child_process');
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: PATIENCE, stdio: ['ignore', 'ignore', 'pipe'] });
  return stderr ?? '';
}

module.exports = { syntaxPlace };
