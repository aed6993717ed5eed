// The worker whose code is kept, and how code is had, there and in its parent.
'use strict';

exports.echo = (value) => value;

exports.later = async (value) => {
  await null;
  return value;
};

/** @param {'farm' | 'worker'} side of this process @returns {[string, Buffer][]} by file of lib/ */
exports.codeOf = (side) => require('../../lib/worker/entry.js').scriptsOf(side).map(([name, script]) => [name, script.createCachedData()]);
