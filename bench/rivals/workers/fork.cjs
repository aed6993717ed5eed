'use strict';
const tasks = require('../../tasks.cjs');

process.on('message', ([id, method, arg]) => {
  process.send([id, tasks[method](arg)]);
});
