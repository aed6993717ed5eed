'use strict';

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const script = path.join(__dirname, 'fixtures', 'calls', 'hardened.js');
const freeze = path.join(__dirname, 'fixtures', 'calls', 'freezes.js');

/** What a program says that calls a farm in such surroundings; its workers have the same. */
function told(...execArgv) {
  return JSON.parse(execFileSync(process.execPath, ['--no-warnings', ...execArgv, script], { encoding: 'utf8' }));
}

const ALL_WELL = {
  timeout: null,
  retries: 0,
  sum: 3,
  names: { toString: 1, constructor: 2, valueOf: [{ hasOwnProperty: 3 }] },
  mapped: [1, 2],
  error: { name: 'RangeError', message: 'odd', isRangeError: true, workerFrame: true },
  noMethod: 'ERR_FARM_NO_METHOD',
  notCloneable: 'ERR_FARM_NOT_CLONEABLE',
};

test('under --frozen-intrinsics all is as ever', () => {
  expect(told('--frozen-intrinsics')).toEqual(ALL_WELL);
});

test('where a program has frozen the classes of the language all is as ever', () => {
  expect(told('--require', freeze)).toEqual(ALL_WELL);
});

test('what somebody has added to all objects is no option', () => {
  const options = { timeout: 1, queueTimeout: 1, retries: 7, min: 1, concurrency: -1, reset: 5 };
  expect(told('--eval', `Object.assign(Object.prototype, ${JSON.stringify(options)}); require(${JSON.stringify(script)});`)).toEqual(ALL_WELL);
});
