'use strict';

// The encodings a user may choose instead of the default one: JSON, or a module of the user's own.

const { isUint8Array } = require('node:util').types;
const { FarmError } = require('../errors');
const { ATTACHMENT_BYTES } = require('./clone');
const { loadHook } = require('./own');

const NO_BYTES = Buffer.alloc(0);

/**
 * @param {string} option 'json', or the file of a codec module
 * @param {{KIND: Record<string, number>, result: Function, decode: Function}} base
 */
function makeChosen(option, base) {
  return option === 'json' ? makeJson(base) : makeCustom(loadHook(option), base);
}

function makeJson({ KIND, result, decode }) {
  function encode(value, root = 'value') {
    if (value === undefined) return result(KIND.UNDEFINED, NO_BYTES, 0, 0, null);
    if (root === 'task') root = 'the arguments';
    let text;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', `${root} cannot be written as JSON: ${cause?.message}`, { cause });
    }
    if (text === undefined) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', `${root} is a ${typeof value}, which JSON has no form for`);
    }
    const bytes = Buffer.from(text);
    return result(KIND.JSON, bytes, 0, bytes.length, null);
  }
  return { encode, decode };
}

function makeCustom(hook, { KIND, result, decode: decodeBase }) {
  function encode(value) {
    const encoded = hook.encode(value);
    if (!isUint8Array(encoded)) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', 'encode of the codec module must return a Uint8Array or a Buffer');
    }
    if (encoded.byteLength >= ATTACHMENT_BYTES) return result(KIND.CUSTOM, NO_BYTES, 0, 0, [encoded]);
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    return result(KIND.CUSTOM, bytes, 0, bytes.length, null);
  }

  function decode(kind, bytes, start, end, attachments) {
    if (kind !== KIND.CUSTOM) return decodeBase(kind, bytes, start, end, attachments);
    if (attachments !== null && attachments.length > 0) return hook.decode(Buffer.from(attachments[0]));
    // A copy: the hook may keep what it is given.
    return hook.decode(Buffer.from(bytes.subarray(start, end)));
  }
  return { encode, decode };
}

module.exports = { makeChosen };
