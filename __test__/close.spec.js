'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { WorkerFarm, createService, farmOf } = require('..');
const { folder, gone, task, worker } = require('./fixtures/life/processes');

const leaves = path.join(__dirname, 'fixtures', 'life', 'leaves.js');
const dir = folder();
const farms = [];

function make(file = worker, options = {}) {
  const farm = new WorkerFarm(file, { max: 2, ...options });
  farm.exits = [];
  farm.on('exit', (record) => farm.exits.push(record));
  farms.push(farm);
  return farm;
}
afterEach(async () => {
  await Promise.all(farms.splice(0).map((farm) => farm.destroy()));
});

const closed = { name: 'FarmError', code: 'ERR_FARM_CLOSED' };

test('ready() is content with the size that resize() leaves', async () => {
  const farm = make(worker, { max: 4, min: 4 });
  const ready = farm.ready();
  farm.resize({ max: 1, min: 0 });
  await ready;
  expect(farm.stats().workers.some(({ state }) => state === 'online')).toBe(true);
});

test('close() finishes what there is; the workers leave by themselves', async () => {
  const farm = make();
  const results = Array.from({ length: 200 }, (_, n) => farm.run('answerLate', [n, n % 3]));
  const end = farm.close();
  expect(farm.stats().state).toBe('closing');
  expect(await Promise.all(results)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  await end;
  expect(farm.stats()).toMatchObject({ state: 'closed', workers: [], tasks: { open: 0 } });
  expect(farm.exits.length).toBeGreaterThan(0);
  for (const record of farm.exits) expect(record).toMatchObject({ exitCode: 0, signal: null, planned: true, killedFor: null });
  await gone(...farm.exits.map(({ pid }) => pid));
});

test('teardown and exit handlers run, in this order', async () => {
  const file = path.join(dir, 'notes');
  const farm = make(leaves, { max: 1, workerData: file });
  expect(await farm.run('add', [1, 2])).toBe(3);
  expect(fs.existsSync(file)).toBe(false);
  await farm.close();
  expect(fs.readFileSync(file, 'utf8')).toBe('teardown\nexit 0\n');
});

test('coverage is written', async () => {
  const coverage = path.join(dir, 'coverage');
  const farm = make(worker, { max: 1, env: { ...process.env, NODE_V8_COVERAGE: coverage } });
  await farm.run('add', [1, 2]);
  await farm.close();
  const reports = fs.readdirSync(coverage).map((name) => JSON.parse(fs.readFileSync(path.join(coverage, name), 'utf8')));
  const ofWorker = reports.flatMap(({ result }) => result).find(({ url }) => url.endsWith('/life/worker.js'));
  const add = ofWorker.functions.find(({ functionName }) => functionName === 'exports.add');
  expect(add.ranges[0].count).toBe(1);
});

test('after close() every call rejects, and at once', async () => {
  const farm = make();
  await farm.run('add', [1, 2]);
  const end = farm.close();
  for (const call of [() => farm.run('add', [1, 2]), () => farm.service.add(1, 2), () => farm.ready()]) {
    await expect(call()).rejects.toMatchObject(closed);
  }
  await end;
  for (const call of [() => farm.run('add', [1, 2]), () => farm.service.add(1, 2), () => farm.ready()]) {
    await expect(call()).rejects.toMatchObject(closed);
  }
  await expect(async () => {
    for await (const value of farm.map([1], 'echo')) void value;
  }).rejects.toMatchObject(closed);
  expect(await new Promise((resolve) => farm.service.add(1, 2, resolve))).toMatchObject(closed);
  expect(() => farm.ref().unref()).not.toThrow();
});

test.each([[null], [5], [[]], [{ timout: 5 }], [{ timeout: NaN }], [{ timeout: '5' }], [{ timeout: -1 }]])('close(%p) rejects and closes nothing', async (options) => {
  const farm = make();
  await expect(farm.close(options)).rejects.toMatchObject({ code: 'ERR_FARM_OPTION' });
  expect(farm.stats().state).toBe('open');
});

test('closing twice is closing once', async () => {
  const farm = make();
  await farm.run('add', [1, 2]);
  const first = farm.close();
  expect(farm.close()).toBe(first);
  await first;
  await farm.close();
  await farm.destroy();
  expect(farm.stats().state).toBe('closed');
});

test('a farm that never did anything', async () => {
  const [one, two] = [make(), make()];
  await one.close();
  await two.destroy();
  expect([one.exits, two.exits]).toEqual([[], []]);
});

test('close({ timeout }) kills what still runs, and its task rejects', async () => {
  const farm = make(worker, { grace: 10 });
  const [loop, wait] = [task(farm, 'spin'), task(farm, 'hang')];
  const pids = await Promise.all([loop.began, wait.began]);
  const queued = farm.run('add', [1, 2]);
  await Promise.all([farm.close({ timeout: 50 }), ...[loop.ended, wait.ended, queued].map((promise) => expect(promise).rejects.toMatchObject(closed))]);
  await gone(...pids);
});

test('close({ timeout: 0 }) does not wait for tasks', async () => {
  const farm = make();
  const { began, ended } = task(farm, 'spin');
  const pid = await began;
  await farm.close({ timeout: 0 });
  await expect(ended).rejects.toMatchObject(closed);
  await gone(pid);
});

test.each([-1, NaN, '5', null])('close({ timeout: %p }) is refused and closes nothing', async (timeout) => {
  const farm = make();
  await expect(farm.close({ timeout })).rejects.toMatchObject({ code: 'ERR_FARM_OPTION', option: 'timeout' });
  expect(await farm.run('add', [1, 2])).toBe(3);
});

test('destroy() ends everything now', async () => {
  const farm = make();
  const tasks = [task(farm, 'spin'), task(farm, 'hang')];
  const pids = await Promise.all(tasks.map(({ began }) => began));
  const more = Array.from({ length: 5000 }, () => farm.run('add', [1, 2]));
  const all = Promise.allSettled([...tasks.map(({ ended }) => ended), ...more]);
  const ready = make(worker, { min: 2 });
  const boot = ready.ready();
  await Promise.all([farm.destroy(), ready.destroy(), expect(boot).rejects.toMatchObject(closed)]);
  const ends = await all;
  expect(new Set(ends.map(({ reason }) => reason?.code))).toEqual(new Set(['ERR_FARM_CLOSED']));
  expect(farm.exits.map(({ signal, killedFor }) => [signal, killedFor])).toEqual([['SIGKILL', 'destroy'], ['SIGKILL', 'destroy']]);
  await gone(...pids);
});

test('destroy() while close() waits', async () => {
  const farm = make();
  const { began, ended } = task(farm, 'hang');
  await began;
  const end = farm.close({ timeout: Infinity });
  await farm.destroy();
  await end;
  await expect(ended).rejects.toMatchObject(closed);
});

test('in the middle of a start', async () => {
  for (const way of ['close', 'destroy']) {
    const farm = make(worker, { min: 2 });
    const errors = [];
    farm.on('workerError', (error) => errors.push(error));
    const ready = farm.ready();
    ready.catch(() => {});
    const spawned = new Promise((resolve) => farm.once('spawn', resolve));
    const { pid } = await spawned;
    await farm[way]();
    await expect(ready).rejects.toMatchObject(closed);
    expect(errors).toEqual([]);
    await gone(pid);
  }
});

test('close() in the same turn as the first call: it is served', async () => {
  const farm = make();
  const result = farm.run('add', [1, 2]);
  await farm.close();
  expect(await result).toBe(3);
});

test('a task whose worker crashes while the farm closes rejects, those behind it are served', async () => {
  const farm = make(worker, { max: 1 });
  const crash = farm.run('exit', [3]);
  const behind = farm.run('add', [1, 2]);
  const end = farm.close();
  await expect(crash).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 3 });
  expect(await behind).toBe(3);
  await end;
});

test('a module that never lets go is killed at the end of the timeout', async () => {
  const farm = make(path.join(__dirname, 'fixtures', 'life', 'never-leaves.js'), { max: 1 });
  const pid = await farm.run('pid');
  await farm.close({ timeout: 100 });
  expect(farm.exits).toEqual([expect.objectContaining({ pid, signal: 'SIGKILL', killedFor: 'close' })]);
  await gone(pid);
});

test('timers and sockets of the module do not keep a worker', async () => {
  const farm = make();
  await farm.run('keepOpen');
  await farm.close({ timeout: Infinity });
  expect(farm.exits).toEqual([expect.objectContaining({ exitCode: 0, planned: true })]);
});

const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

test('farm and service can be disposed of', async () => {
  const farm = make();
  const service = createService(worker, { max: 1 });
  const results = [farm.run('add', [1, 2]), service.add(3, 4)];
  await Promise.all([farm[dispose](), service[dispose]()]);
  expect(await Promise.all(results)).toEqual([3, 7]);
  expect(farm.stats().state).toBe('closed');
  expect(farmOf(service).stats().state).toBe('closed');
});

test('what listeners see at the end comes before close() resolves', async () => {
  const farm = make();
  await farm.run('add', [1, 2]);
  const workers = farm.stats().workers.length;
  await farm.close();
  expect(farm.exits.length).toBe(workers);
});
