'use strict';

const { execFile } = require('node:child_process');
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');
const { promisify } = require('node:util');
const { openFarm } = require('./fixtures/open-farm');

const range = (count) => Array.from({ length: count }, (_, i) => i);

/**
 * Everything a task tells, in order.
 * @param {any} farm @param {string} method @param {any[]} [args]
 */
async function told(farm, method, args) {
  const all = [];
  await farm.run(method, args, { onProgress: (value) => all.push(value) }).then(
    (value) => all.push({ value }),
    (error) => all.push({ error }),
  );
  return all;
}

test.each(['count', 'countAsync'])('%s: values come in order and before the result', async (method) => {
  const farm = openFarm('calls/progress.js');
  for (const count of [0, 1, 2, 1000]) expect(await told(farm, method, [count])).toEqual([...range(count), { value: count }]);
});

test('before an error, too', async () => {
  expect(await told(openFarm('calls/progress.js'), 'thenFail')).toEqual(['before', { error: new Error('after') }]);
});

test('tasks side by side get their own', async () => {
  const farm = openFarm('calls/progress.js', { max: 2 });
  const runs = range(40).map((i) => told(farm, i % 2 ? 'count' : 'countAsync', [i]));
  expect(await Promise.all(runs)).toEqual(range(40).map((i) => [...range(i), { value: i }]));
});

test('any value that can be carried', async () => {
  const values = [undefined, null, 1n, new Map([['a', new Set([1])]]), { undefined }, 'x'.repeat(100_000), [new Date(0)]];
  expect(await told(openFarm('calls/progress.js'), 'emit', values)).toEqual([...values, { value: 'result' }]);
});

test('large values', async () => {
  for (const size of [3000, 70_000, 1_000_000]) {
    const all = await told(openFarm('calls/progress.js'), 'large', [20, size]);
    const { value } = all.pop();
    expect([...all, value].map((bytes) => [bytes.length, bytes[0], bytes[size - 1]])).toEqual(range(21).map((i) => [size, i, i]));
  }
});

test('20000 values', async () => {
  const farm = openFarm('calls/progress.js');
  let expected = 0;
  let wrong = 0;
  const onProgress = (value) => {
    if (value !== expected++) wrong++;
  };
  expect(await farm.run('count', [20_000], { onProgress })).toBe(20_000);
  expect([expected, wrong]).toEqual([20_000, 0]);
});

test('without onProgress nothing is lost but the values', async () => {
  const { service } = openFarm('calls/progress.js');
  expect(await service.count(1000)).toBe(1000);
});

test('emit after the end of the task throws in the worker and reaches nobody', async () => {
  const farm = openFarm('calls/progress.js');
  const seen = [];
  expect(await farm.run('startLate', [], { onProgress: (value) => seen.push(value) })).toBe('result');
  let outcome;
  do outcome = await farm.service.outcomeOfLate();
  while (outcome === 'nothing yet');
  expect(outcome).toBe('ERR_FARM_UNSUPPORTED');
  expect(seen).toEqual([]);
});

test('onProgress runs in the caller\'s asynchronous context', async () => {
  const storage = new AsyncLocalStorage();
  const farm = openFarm('calls/progress.js');
  const seen = new Set();
  await storage.run('mine', () => farm.run('count', [3], { onProgress: () => seen.add(storage.getStore()) }));
  expect([...seen]).toEqual(['mine']);
});

test('what onProgress throws is an uncaught exception; the task and its neighbours go on', async () => {
  const script = path.join(__dirname, 'fixtures', 'calls', 'throwing-progress.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 50_000 });
  expect(JSON.parse(stdout)).toEqual({ uncaught: ['bad 0', 'bad 1', 'bad 2'], result: 3, neighbour: [0, 1, 2, 3], samePid: true });
});
