'use strict';

const path = require('node:path');
const { createService, farmOf } = require('../..');
const { gone, stateOf } = require('../fixtures/life/processes');

const MiB = 1024 * 1024;

let farm;
afterEach(() => farm.destroy());

/** @param {string} name */
function start(name) {
  const service = createService({ fork: path.join(__dirname, '..', 'fixtures', 'fork', `${name}.js`) }, { max: 1 });
  farm = farmOf(service);
  return service;
}

test('an answer that still waits for its place when the script has ended arrives', async () => {
  const service = start('last-answer');
  expect(await service.request([3, false])).toBe('xxx');
  const [{ pid }] = farm.stats().workers;
  // Two of them are more than this process lets lie.
  const answers = Promise.all([service.request([40 * MiB, false]), service.request([40 * MiB, true])]);
  await new Promise(setImmediate);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (stateOf(pid) !== undefined) Atomics.wait(cell, 0, 0, 10);
  // Longer than it takes to give a script up that has closed its channel.
  Atomics.wait(cell, 0, 0, 1500);
  expect((await answers).map((text) => text.length)).toEqual([40 * MiB, 40 * MiB]);
  expect(await service.request([1, false])).toBe('x');
  await gone(pid);
});

test('a farm is destroyed while such an answer waits', async () => {
  const service = start('last-answer');
  await service.request([3, false]);
  const [{ pid }] = farm.stats().workers;
  const answers = Promise.allSettled([service.request([40 * MiB, false]), service.request([40 * MiB, true])]);
  await new Promise(setImmediate);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (stateOf(pid) !== undefined) Atomics.wait(cell, 0, 0, 10);
  await farm.destroy();
  for (const { status, reason } of await answers) if (status === 'rejected') expect(reason.code).toBe('ERR_FARM_CLOSED');
});

test('answers of 100 MiB are what was sent', async () => {
  const service = start('answers');
  const text = await service.request(['make', 50 * MiB]);
  expect(text.length).toBe(50 * MiB);
  expect(Buffer.byteLength(text)).toBe(100 * MiB);
  expect(/^ü+$/.test(text)).toBe(true);
  expect(await service.request(['echo', 'next'])).toBe('next');
});

test('a script that does not read holds back its own farm only', async () => {
  const service = start('answers');
  expect(await service.request(['then loop', 1])).toBe(1);
  const waiting = service.request(['size', 'x'.repeat(16 * MiB)]);
  const other = createService({ fork: path.join(__dirname, '..', 'fixtures', 'fork', 'answers.js') }, { max: 1 });
  expect(await other.request(['echo', 1])).toBe(1);
  const [{ pid }] = farm.stats().workers;
  process.kill(pid, 'SIGKILL');
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', signal: 'SIGKILL' });
  expect(await service.request(['size', 'x'.repeat(16 * MiB)])).toBe(16 * MiB);
  await farmOf(other).close();
});
