'use strict';

const { task } = require('./fixtures/life/processes');
const { next, openFarm } = require('./fixtures/open-farm');

const WORKER = 'life/worker.js';

test('an unused farm has figures, all of them 0', () => {
  const { tasks, run, wait, exits, workers } = openFarm(WORKER).stats();
  expect(workers).toEqual([]);
  expect(exits).toEqual({});
  expect(new Set(Object.values(tasks))).toEqual(new Set([0]));
  expect(run).toEqual({ count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0, p999: 0 });
  expect(wait).toEqual(run);
});

test('a call counts from its own turn on', async () => {
  const farm = openFarm(WORKER, { max: 1 });
  const call = farm.run('add', [1, 2]);
  expect(farm.stats().tasks.open).toBe(1);
  await call;
  expect(farm.stats().tasks.open).toBe(0);
});

test('each task is counted once, under its end', async () => {
  const farm = openFarm(WORKER, { stderr: 'ignore', maxSharedMemory: 1 << 20 });
  const controller = new AbortController();
  await farm.run('add', [1, 2]);
  await farm.run('add', [3, 4]);
  await expect(farm.run('nowhere')).rejects.toThrow();
  await expect(farm.run('exit', [3])).rejects.toThrow();
  await expect(farm.run('hang', [], { timeout: 1 })).rejects.toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
  const busy = task(farm, 'hang', [], { signal: controller.signal });
  await busy.began;
  await expect(farm.run('add', [1, 2], { queueTimeout: 1 })).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT' });
  const withdrawn = farm.run('add', [1, 2], { signal: controller.signal });
  controller.abort();
  await Promise.allSettled([busy.ended, withdrawn]);
  // Refused when it is submitted: it never was a task.
  await expect(farm.run('echo', [() => {}])).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE' });
  await expect(farm.run('echo', ['x'.repeat(2 << 20)])).rejects.toMatchObject({ code: 'ERR_FARM_NO_MEMORY' });
  const last = task(farm, 'hang');
  await last.began;
  await farm.destroy();
  await Promise.allSettled([last.ended]);
  expect(farm.stats().tasks).toEqual({
    open: 0, waiting: 0, held: 0, resting: 0, running: 0, settled: 10, retried: 0,
    completed: 2, failed: 1, cancelled: 2, timedOut: 1, queueTimedOut: 1, lost: 1, notStarted: 0, noMemory: 1, closed: 1,
  });
});

test('attempts that fail before the last one are counted apart from the task', async () => {
  const farm = openFarm(WORKER, { stderr: 'ignore', retries: 2, retryOn: ['exit'] });
  await expect(farm.run('exit', [1])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' });
  expect(farm.stats().tasks).toMatchObject({ settled: 1, lost: 1, retried: 2 });
});

test('tasks that cannot start are counted, and the start that failed', async () => {
  const farm = openFarm('modules/throws.js', { stderr: 'ignore' });
  const exit = next(farm, 'exit');
  await Promise.allSettled([farm.run('a'), farm.run('b')]);
  await exit;
  expect(farm.stats()).toMatchObject({ tasks: { notStarted: 2, settled: 2 }, exits: { start: 1 } });
});

test('what runs is told from what waits', async () => {
  const farm = openFarm(WORKER);
  const busy = task(farm, 'hang');
  busy.ended.catch(() => {});
  await busy.began;
  const rest = Promise.allSettled(Array.from({ length: 5000 }, (_, n) => farm.run('echo', [n])));
  // All of them are on their way after this turn, more of them than the queue has slots.
  await new Promise(setImmediate);
  const { tasks, workers } = farm.stats();
  expect(tasks).toMatchObject({ open: 5001, waiting: 5000, running: 1, settled: 0 });
  expect(workers).toMatchObject([{ running: 1, tasks: 0 }]);
  await farm.destroy();
  await rest;
});

test('times: a task of some milliseconds has run for them, and the one behind it has waited for them', async () => {
  const farm = openFarm(WORKER);
  await farm.ready();
  await Promise.all([farm.run('busy', [30]), farm.run('add', [1, 2])]);
  const { run, wait } = farm.stats();
  expect([run.count, wait.count]).toEqual([2, 2]);
  expect(run.max).toBeGreaterThanOrEqual(29.9);
  expect(run.p999).toBe(run.max);
  expect(run.min).toBeLessThan(run.max);
  expect(run.min).toBeLessThanOrEqual(run.p50);
  expect(wait.max).toBeGreaterThanOrEqual(29.9);
  expect(wait.min).toBeLessThan(wait.max);
  expect(run.mean).toBeGreaterThan(run.min);
});

test('waiting counts from the call, also beyond the slots of the queue and for a fork-style script', async () => {
  const farm = openFarm(WORKER);
  await farm.ready();
  const tasks = [farm.run('busy', [30]), ...Array.from({ length: 5000 }, (_, n) => farm.run('echo', [n]))];
  await Promise.all(tasks);
  expect(farm.stats().wait.count).toBe(5001);
  expect(farm.stats().wait.p50).toBeGreaterThanOrEqual(29.9);

  const { WorkerFarm } = require('..');
  const forked = new WorkerFarm({ fork: require.resolve('./fixtures/fork/answers.js') }, { max: 1 });
  await forked.run('request', ['hello']);
  const { run, wait } = forked.stats();
  expect([run.count, wait.count]).toEqual([1, 1]);
  expect(wait.max).toBeGreaterThan(0);
  await forked.destroy();
});

test('the times start anew when they are told to; the counts do not', async () => {
  const farm = openFarm(WORKER);
  await farm.run('add', [1, 2]);
  expect(farm.stats({ reset: true }).run.count).toBe(1);
  expect(farm.stats().run.count).toBe(0);
  await farm.run('add', [1, 2]);
  expect(farm.stats()).toMatchObject({ run: { count: 1 }, tasks: { completed: 2 } });
  expect(() => farm.stats({ rest: true })).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION', option: 'rest' }));
  expect(() => farm.stats({ reset: 1 })).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION', option: 'reset' }));
});

test('a worker: tasks answered, CPU time, memory', async () => {
  const farm = openFarm(WORKER);
  await Promise.all([farm.run('busy', [50]), farm.ready()]);
  const [before] = farm.stats().workers;
  expect(before).toMatchObject({ workerId: 1, state: 'online', tasks: 1, running: 0 });
  expect(before.cpu).toBeGreaterThanOrEqual(20);
  expect(before.memory).toBeGreaterThan(1 << 20);
  await farm.run('busy', [50]);
  const [after] = farm.stats().workers;
  expect(after.tasks).toBe(2);
  expect(after.cpu).toBeGreaterThan(before.cpu);
});

test('ends of workers by cause', async () => {
  const farm = openFarm(WORKER, { stderr: 'ignore', idleTimeout: 1 });
  const ended = async (method, ...args) => {
    const exit = next(farm, 'exit');
    await Promise.allSettled([farm.run(method, args)]);
    await exit;
  };
  await ended('exit', 0);
  await ended('exit', 5);
  await ended('abort');
  await ended('kill', 'SIGKILL');
  await ended('add', 1, 2);
  expect(farm.stats().exits).toEqual({ exited: 2, crashed: 1, killed: 1, idle: 1 });
});
