'use strict';

/**
 * Names of files as strings, whatever bytes they are made of. A byte that is no UTF-8 becomes the lone surrogate
 * U+DC00 + byte (as in Python's "surrogateescape"), so that globs, paths and JSON work on strings and no byte is lost.
 */

const { readFileSync } = require('node:fs');
const { isUtf8 } = require('node:buffer');

const ESCAPE = 0xdc00;

/** @param {Buffer} bytes */
function nameOf(bytes) {
  if (isUtf8(bytes)) return bytes.toString();
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const sequence = bytes.subarray(at, at + length);
    if (isUtf8(sequence)) {
      name += sequence.toString();
      at += length;
    } else {
      name += String.fromCharCode(ESCAPE + lead);
      at++;
    }
  }
  return name;
}

/**
 * What Node's `fs` takes, and what a worker gets: the name itself, or its bytes when it is no UTF-8.
 * @param {string} name
 * @returns {string | Buffer}
 */
function pathOf(name) {
  if (/** @type {any} */ (name).isWellFormed()) return name;
  return Buffer.concat(
    Array.from(name, (character) => {
      const code = /** @type {number} */ (character.codePointAt(0));
      return code > ESCAPE + 0x7f && code <= ESCAPE + 0xff ? Buffer.of(code - ESCAPE) : Buffer.from(character);
    }),
  );
}

/**
 * A name on one line of a message.
 * @param {string} name
 */
function shown(name) {
  // eslint-disable-next-line no-control-regex
  return name === '' || /[\u0000-\u001f\u007f-\u009f]/.test(name) || !(/** @type {any} */ (name).isWellFormed()) ? printable(JSON.stringify(name)) : name;
}

/** Text without characters that do something to a terminal. @param {string} text */
function printable(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The arguments of this process. Node has replaced bytes that are no UTF-8; the system still has them. */
function argumentsAsGiven() {
  const given = process.argv.slice(2);
  if (!given.some((argument) => argument.includes('\ufffd'))) return given;
  try {
    const all = splitNames(readFileSync('/proc/self/cmdline'));
    return all.length > given.length ? all.slice(-given.length) : given;
  } catch {
    return given;
  }
}

/** @param {Buffer} bytes names, each ended by a zero byte */
function splitNames(bytes) {
  const names = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    names.push(nameOf(bytes.subarray(at, end < 0 ? bytes.length : end)));
    if (end < 0) break;
    at = end + 1;
  }
  return names;
}

module.exports = { nameOf, pathOf, shown, printable, argumentsAsGiven };
