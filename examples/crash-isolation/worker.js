'use strict';

exports.add = (a, b) => a + b;

exports.exit = (code) => {
  console.error('this worker has seen enough');
  process.exit(code);
};

// What a native addon with a bug does to its process.
exports.segfault = () => process.kill(process.pid, 'SIGSEGV');

exports.throwLater = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new TypeError('nobody catches this');
    });
  });
