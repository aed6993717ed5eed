// The worker whose code is kept.
'use strict';

exports.echo = (value) => value;

exports.later = async (value) => {
  await null;
  return value;
};

exports.code = () => require('../../lib/worker/entry.js').scriptsOf('worker').map(([name, script]) => [name, script.createCachedData()]);
