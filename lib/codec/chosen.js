'use strict';

// The encodings a user may choose instead of the default one: JSON, or functions of the user's own.

const { FarmError } = require('../errors');
const { ATTACHMENT_BYTES } = require('./clone');

const NO_BYTES = Buffer.alloc(0);

/**
 * @param {unknown} option
 * @param {{KIND: Record<string, number>, result: Function, decode: Function}} base
 */
function makeChosen(option, base) {
  if (option === 'json') return makeJson(base);
  if (typeof option?.encode === 'function' && typeof option?.decode === 'function') return makeCustom(option, base);
  throw new FarmError(
    'ERR_FARM_OPTION',
    `codec must be 'default', 'json' or an object with encode(value) and decode(bytes), not ${describe(option)}.`,
  );
}

function describe(option) {
  if (typeof option === 'string') return JSON.stringify(option);
  return typeof option === 'object' && option !== null ? 'an object without them' : String(option);
}

function makeJson({ KIND, result, decode }) {
  function encode(value, root = 'value') {
    if (value === undefined) return result(KIND.UNDEFINED, NO_BYTES, 0, 0, null);
    let text;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', `${root} cannot be written as JSON: ${cause?.message}`, { path: root, cause });
    }
    if (text === undefined) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', `${root} is a ${typeof value}, which JSON has no form for.`, { path: root });
    }
    const bytes = Buffer.from(text);
    return result(KIND.JSON, bytes, 0, bytes.length, null);
  }
  return { encode, decode };
}

function makeCustom(hook, { KIND, result, decode: decodeBase }) {
  function encode(value) {
    const encoded = hook.encode(value);
    if (!(encoded instanceof Uint8Array)) {
      throw new FarmError('ERR_FARM_NOT_CLONEABLE', 'codec.encode must return a Uint8Array or a Buffer.', { path: 'value' });
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
