'use strict';
// worker-farm hands each function a callback and knows no other way to answer.
const tasks = require('../../tasks.cjs');

for (const [name, task] of Object.entries(tasks)) {
  exports[name] = (arg, done) => done(null, task(arg));
}
