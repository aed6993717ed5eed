'use strict';

/** import() by Node's loader: code that lib/worker/entry.js has compiled has none of its own. */

/**
 * @param {string} url
 * @returns {Promise<any>}
 */
function importByNode(url) {
  return import(url);
}

module.exports = { importByNode };
