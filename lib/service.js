'use strict';

const { WorkerFarm } = require('./farm');
const { farmOf } = require('./service-proxy');

/**
 * The service keeps its farm reachable and nothing else does, so whoever holds the one holds the other.
 * @param {any} source path, package name or file: URL of the worker module, or `{ fork: path }`
 * @param {object} [options] see lib/options.js
 * @returns {any} an object each of whose properties is a function that runs in a worker
 */
function createService(source, options) {
  return new WorkerFarm(source, options).service;
}

module.exports = { createService, farmOf };
