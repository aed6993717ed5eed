'use strict';
const { parentPort } = require('node:worker_threads');
const tasks = require('../../tasks.cjs');

parentPort.on('message', ([id, method, arg]) => {
  parentPort.postMessage([id, tasks[method](arg)]);
});
