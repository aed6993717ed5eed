'use strict';

const load = require('./lib/worker/entry').loaderOf('farm');
// Both ways are written out, for whoever reads which files belong together: bundlers, tracers, types.
const { FarmError } = load === null ? require('./lib/errors') : load('errors');
const { WorkerFarm } = load === null ? require('./lib/farm') : load('farm');
const { createService, farmOf } = load === null ? require('./lib/service') : load('service');

module.exports = { createService, WorkerFarm, farmOf, FarmError };
