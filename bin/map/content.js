'use strict';

/** What the function gets of a file or a line. */

const fs = require('node:fs');
const { Gate } = require('./gate');
const { pathOf } = require('./names');

/** More at a time are not read any faster, and descriptors are few. */
const OPEN = 16;
const gate = new Gate(OPEN);

/** @param {string} name @param {string} as */
function contentOf(name, as) {
  const path = pathOf(name);
  if (as === 'path') return path;
  if (as === 'buffer') return gate.through(() => fs.promises.readFile(path));
  return gate.through(() => fs.promises.readFile(path, 'utf8')).then((text) => (as === 'text' ? text : parsed(text)));
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`invalid JSON: ${/** @type {Error} */ (error).message}`);
  }
}

module.exports = { contentOf, parsed };
