'use strict';

// How the plain encoding writes strings and numbers. Short strings are gathered and written as one text at the end of
// the message: a call of native code for each would cost more than the string. None is changed on the way: a lone
// surrogate stays what it is.

/**
 * The types of Node.js leave these calls out, which are quicker than `write`.
 * @typedef {Buffer & Record<'latin1Write' | 'utf8Write' | 'ucs2Write', (text: string, at: number) => number>} Target
 */

const TOKEN = require('./tokens');

/** Longer strings are written in their place; and all further ones, once the text is so long. */
const LONGEST = 255;
const MAX_TEXT = 2 ** 28;
/** The text grows by pieces, and each is made flat by itself: V8 joins strings lazily, as a tree. */
const PIECE = 2048;
/** Shorter texts are written without native code. */
const SHORT = 24;
/** For longer strings, counting the bytes is better than reserving the most there could be. */
const COUNTED = 20_000;

/** V8 knows without looking that this is not in a string that it stores with one byte per character; and makes it flat. */
const WIDE = /[^\0-\xff]/;

class Text {
  constructor() {
    this.done = '';
    this.piece = '';
    this.wide = false;
    this.longest = LONGEST;
  }

  endPiece() {
    if (WIDE.test(this.piece)) this.wide = true;
    this.done += this.piece;
    this.piece = '';
    if (this.done.length > MAX_TEXT) this.longest = 0;
  }

  /** @returns {number} bytes that `write` needs */
  room() {
    const length = this.done.length + this.piece.length;
    if (length <= SHORT) return 2 * length + 5;
    this.endPiece();
    return (this.wide ? 2 : 1) * length + 5;
  }

  /**
   * Ends the message; `room` was asked before.
   * @param {Target} bytes
   * @param {DataView} view on the same bytes
   * @param {number} position
   * @returns {number} the position after it
   */
  write(bytes, view, position) {
    const text = this.done === '' ? this.piece : this.done;
    const { length } = text;
    let at = position;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0xff) break;
        bytes[at++] = unit;
      }
      if (i === length) {
        bytes[at] = length;
        return at + 1;
      }
      this.wide = true;
    }
    at = position + (this.wide ? bytes.ucs2Write(text, position) : bytes.latin1Write(text, position));
    const size = at - position;
    if (!this.wide && size < TOKEN.LATIN_TEXT) {
      bytes[at++] = size;
    } else {
      view.setUint32(at, size, true);
      bytes[at + 4] = this.wide ? TOKEN.WIDE_TEXT : TOKEN.LATIN_TEXT;
      at += 5;
    }
    return at;
  }

  forget() {
    this.done = '';
    this.piece = '';
    this.wide = false;
    this.longest = LONGEST;
  }
}

/** @param {string} string longer than a gathered one @returns {number} bytes that `putLong` may need */
function roomForLong(string) {
  const { length } = string;
  return (length <= COUNTED ? 3 * length : Math.max(2 * length, Buffer.byteLength(string))) + 16;
}

/**
 * @param {Target} bytes
 * @param {DataView} view on the same bytes
 * @param {number} position
 * @param {string} string
 * @returns {number} the position after it
 */
function putLong(bytes, view, position, string) {
  const at = position + 5;
  // UTF-8 has no form for a lone surrogate.
  const whole = string.isWellFormed();
  const size = whole ? bytes.utf8Write(string, at) : bytes.ucs2Write(string, at);
  bytes[position] = whole ? TOKEN.UTF8 : TOKEN.UTF16;
  view.setUint32(position + 1, whole ? size : string.length, true);
  return at + size;
}

/**
 * @param {Buffer} bytes
 * @param {DataView} view on the same bytes
 * @param {number} position
 * @param {number} value
 * @returns {number} the position after it
 */
function putNumber(bytes, view, position, value) {
  // -0 is no integer here: it is written with its sign, as a double.
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0 && value < 0x80) {
      bytes[position] = value;
      return position + 1;
    }
    if (value >= -0x8000 && value < 0x8000) {
      bytes[position] = TOKEN.INT16;
      bytes[position + 1] = value;
      bytes[position + 2] = value >> 8;
      return position + 3;
    }
    bytes[position] = TOKEN.INT32;
    view.setInt32(position + 1, value, true);
    return position + 5;
  }
  bytes[position] = TOKEN.DOUBLE;
  view.setFloat64(position + 1, value, true);
  return position + 9;
}

module.exports = { Text, PIECE, roomForLong, putLong, putNumber };
