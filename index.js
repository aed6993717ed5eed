'use strict';

const { FarmError } = require('./lib/errors');
const load = require('./lib/worker/entry').loaderOf('farm');
// Both ways are written out, for whoever reads which files belong together: bundlers, tracers, types.
const { WorkerFarm } = load === null ? require('./lib/farm') : load('farm');
const { createService, farmOf } = load === null ? require('./lib/service') : load('service');

module.exports = { createService, WorkerFarm, farmOf, FarmError };
