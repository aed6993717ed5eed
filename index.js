'use strict';

const { FarmError } = require('./lib/errors');
const { WorkerFarm } = require('./lib/farm');
const { createService, farmOf } = require('./lib/service');

module.exports = { createService, WorkerFarm, farmOf, FarmError };
