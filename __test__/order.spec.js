'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { WorkerFarm } = require('..');
const { folder: makeFolder, task, worker } = require('./fixtures/life/processes');

const folder = makeFolder();
let farm;
afterEach(() => farm.destroy());
const numbers = (length) => Array.from({ length }, (_, n) => n);

test('tasks start in the order of their submission', async () => {
  farm = new WorkerFarm(worker, { max: 1 });
  const mixed = numbers(500).map((n) => (n % 3 === 0 ? farm.service.next() : farm.run('next', n % 3 === 1 ? [] : ['x'.repeat(n * 40)], n % 5 === 0 ? { timeout: 10_000 } : undefined)));
  expect(await Promise.all(mixed)).toEqual(numbers(500));
});

test('also 10 000 of them, many more than are published at a time', async () => {
  farm = new WorkerFarm(worker, { max: 1 });
  expect(await Promise.all(numbers(10_000).map(() => farm.service.next()))).toEqual(numbers(10_000));
});

test('also when those in between are cancelled', async () => {
  farm = new WorkerFarm(worker, { max: 1 });
  const gate = path.join(folder, 'gate');
  const { began, ended } = task(farm, 'untilFile', [gate]);
  await began;
  const controllers = [];
  const all = numbers(9000).map((n) => {
    if (n % 3 !== 0) return farm.service.next();
    const controller = new AbortController();
    controllers.push(controller);
    return farm.run('next', [], { signal: controller.signal }).catch(() => 'cancelled');
  });
  controllers.forEach((controller) => controller.abort());
  fs.writeFileSync(gate, '');
  const results = await Promise.all(all);
  expect(results.filter((value) => value !== 'cancelled')).toEqual(numbers(6000));
  await ended;
});

test('every result is that of its own task', async () => {
  farm = new WorkerFarm(worker, { max: 3 });
  const values = numbers(10_000).map((n) => (n % 100 === 0 ? { n, text: 'y'.repeat(n) } : n));
  expect(await Promise.all(values.map((value) => farm.service.echo(value)))).toEqual(values);
});

test('endless tasks on all workers but one do not hold up the rest', async () => {
  farm = new WorkerFarm(worker, { max: 3 });
  const endless = [task(farm, 'spin'), task(farm, 'hang')];
  await Promise.all(endless.map(({ began }) => began));
  // Ten times what is published at a time.
  let done = 0;
  for (let round = 0; round < 40; round++) {
    await Promise.all(numbers(1024).map(() => farm.service.add(1, 2).then(() => done++)));
  }
  expect(done).toBe(40 * 1024);
  expect(farm.stats().tasks.open).toBe(2);
});

test('no short task waits behind a long one while another worker is free', async () => {
  farm = new WorkerFarm(worker, { max: 2 });
  await farm.ready();
  const long = task(farm, 'untilAborted', [], { timeout: 60_000 });
  await long.began;
  for (let n = 0; n < 50; n++) expect(await farm.service.add(n, 1)).toBe(n + 1);
});

test('workers stay busy while the loop of this process is blocked', async () => {
  farm = new WorkerFarm(worker, { max: 2 });
  await Promise.all([farm.run('busy', [30]), farm.run('busy', [30])]);
  const file = path.join(folder, 'lines');
  fs.writeFileSync(file, '');
  const tasks = numbers(200).map((n) => farm.run('noteLine', [file, n]));
  process.nextTick(() => {
    // Blocked until all have run: nobody here has handed a task out meanwhile.
    const nap = new Int32Array(new SharedArrayBuffer(4));
    while (fs.readFileSync(file, 'utf8').split('\n').length <= 200) Atomics.wait(nap, 0, 0, 5);
  });
  await Promise.all(tasks);
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map(Number);
  expect(lines.sort((a, b) => a - b)).toEqual(numbers(200));
});

test('a healthy run needs no rescue', async () => {
  farm = new WorkerFarm(worker, { max: 3 });
  for (let round = 0; round < 20; round++) await Promise.all(numbers(500).map(() => farm.service.add(1, 2)));
  expect(farm.stats().rescuedWakeups).toBe(0);
});
