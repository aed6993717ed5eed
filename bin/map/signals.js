'use strict';

/** SIGINT and SIGTERM: the first stops the reading and lets finish what runs, the second one kills. */

const { EXIT } = require('./exit');

/**
 * @param {{ first: (signal: string) => void, second: () => void }} actions
 * @returns {{ readonly code: number | null, off: () => void }}
 */
function onSignals({ first, second }) {
  /** @type {number | null} */
  let code = null;
  const handle = (/** @type {'SIGINT' | 'SIGTERM'} */ signal) => {
    if (code === null) {
      code = EXIT[signal];
      first(signal);
    } else {
      code = EXIT[signal];
      second();
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    get code() {
      return code;
    },
    off() {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}

module.exports = { onSignals };
