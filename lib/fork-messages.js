'use strict';

/**
 * What goes to a fork-style worker and comes back: JSON texts, written and read here, in the words of this runtime, and
 * passed on as they are. The supervisor only frames them (engine/supervisor/forked.rs).
 */

const { makeCodec } = require('./codec');
const { FarmError } = require('./errors');

/** The one method of a fork-style service. */
const REQUEST = 'request';

/** @returns {ReturnType<typeof makeCodec>} */
function forkMessages() {
  const json = makeCodec('json');
  return {
    ...json,
    encodeTask(method, args) {
      if (method !== REQUEST) throw noMethod(method);
      if (args.length !== 1) throw new FarmError('ERR_FARM_OPTION', `request takes one message, not ${args.length} arguments`);
      if (args[0] === undefined) throw new FarmError('ERR_FARM_NOT_CLONEABLE', 'the message is undefined, which JSON has no form for');
      return json.encode(args[0], 'the message');
    },
  };
}

/** @param {string} method '' for a call of the service itself */
function noMethod(method) {
  const wanted = method === '' ? 'A fork-style service cannot be called itself' : `A fork-style service has no method "${method}"`;
  return new FarmError('ERR_FARM_NO_METHOD', `${wanted}; it has one, request(message)`, { method, methods: [REQUEST] });
}

module.exports = { forkMessages };
