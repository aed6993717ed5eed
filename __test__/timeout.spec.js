'use strict';

const { WorkerFarm } = require('..');
const { gone, task, worker } = require('./fixtures/life/processes');

let farm;
const make = (options) => {
  farm = new WorkerFarm(worker, { max: 1, ...options });
  return farm;
};
afterEach(() => farm.destroy());

const timedOut = (timeout) => ({ name: 'FarmError', code: 'ERR_FARM_TASK_TIMEOUT', timeout, message: expect.stringContaining(`${timeout} ms`) });

test('an endless loop is killed, and the next task runs in a fresh worker', async () => {
  make();
  const pid = await farm.run('pid');
  await expect(farm.run('spin', [], { timeout: 50 })).rejects.toMatchObject(timedOut(50));
  expect(await farm.run('pid')).not.toBe(pid);
  await gone(pid);
});

test('the timeout of the farm holds for every task, that of a task goes before it', async () => {
  make({ timeout: 60 });
  await expect(farm.run('spin')).rejects.toMatchObject(timedOut(60));
  await expect(farm.run('spin', [], { timeout: 40 })).rejects.toMatchObject(timedOut(40));
  await expect(farm.service.spin()).rejects.toMatchObject(timedOut(60));
  expect(await farm.run('answerLate', ['in time', 100], { timeout: 60_000 })).toBe('in time');
  expect(await farm.run('answerLate', ['in time', 100], { timeout: Infinity })).toBe('in time');
});

test('the worker is killed while the loop of this process is blocked', async () => {
  make();
  const { began, ended } = task(farm, 'spin', [], { timeout: 1000 });
  const pid = await began;
  // Blocked until the process is gone: only another thread can have ended it.
  const { stateOf } = require('./fixtures/life/processes');
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (stateOf(pid) !== undefined) Atomics.wait(nap, 0, 0, 5);
  await expect(ended).rejects.toMatchObject(timedOut(1000));
});

test('a task that listens to its signal gets time to end, and its worker lives on', async () => {
  make({ grace: 60_000 });
  const { began, ended } = task(farm, 'untilAborted', [], { timeout: 1000 });
  const pid = await began;
  await expect(ended).rejects.toMatchObject(timedOut(1000));
  expect(await farm.run('pid')).toBe(pid);
});

test('a task that waits and does not listen loses its worker after the grace', async () => {
  make({ grace: 50 });
  const pid = await farm.run('pid');
  await expect(farm.run('hang', [], { timeout: 50 })).rejects.toMatchObject(timedOut(50));
  expect(await farm.run('pid')).not.toBe(pid);
  await gone(pid);
});

test('a late reply never reaches another task', async () => {
  make({ grace: 60_000 });
  for (let n = 0; n < 20; n++) {
    const late = farm.run('answerLate', [`late ${n}`, 12], { timeout: 10 });
    const next = farm.run('echo', [`next ${n}`]);
    const [first, second] = await Promise.allSettled([late, next]);
    // The start may be late enough for the reply to win; then it is its own.
    if (first.status === 'fulfilled') expect(first.value).toBe(`late ${n}`);
    else expect(first.reason).toMatchObject(timedOut(10));
    expect(second.value).toBe(`next ${n}`);
  }
});

test('tasks at the edge of their timeout settle once each, with their own value', async () => {
  make({ max: 2, grace: 1000 });
  const settled = new Map();
  await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const end = await farm.run('answerLate', [n, n % 7], { timeout: 4 }).catch((error) => error);
      settled.set(n, (settled.get(n) ?? 0) + 1);
      if (typeof end === 'number') expect(end).toBe(n);
      else expect(end.code).toBe('ERR_FARM_TASK_TIMEOUT');
    }),
  );
  expect([...settled.values()]).toEqual(Array(300).fill(1));
});

test('the time counts from the start of the task, not from its submission', async () => {
  make();
  // Long for a trivial task on a busy machine, and shorter than what it waits for.
  const first = farm.run('busy', [1100]);
  const second = farm.run('add', [1, 2], { timeout: 1000 });
  expect(await second).toBe(3);
  await first;
});

describe('queueTimeout', () => {
  test('a task that waits too long is not started', async () => {
    make();
    const { began, ended } = task(farm, 'untilAborted', [], { timeout: 1000 });
    await began;
    const before = farm.run('next');
    const late = farm.run('next', [], { queueTimeout: 50 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT', queueTimeout: 50, message: expect.stringContaining('50 ms') });
    await expect(ended).rejects.toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
    expect(await before).toBe(0);
    expect(await farm.run('next')).toBe(1);
  });

  test('holds for all tasks of the farm; one in time is served', async () => {
    make({ queueTimeout: 1000 });
    await farm.ready();
    const { began, ended } = task(farm, 'untilAborted', [], { timeout: 2500 });
    await began;
    await expect(farm.service.add(1, 2)).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT' });
    await expect(ended).rejects.toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
    expect(await farm.service.add(1, 2)).toBe(3);
  });

  test('a worker refuses a task that is too late when this process is blocked meanwhile', async () => {
    make();
    await farm.ready();
    const ended = farm.run('busy', [120]);
    const late = farm.run('next', [], { queueTimeout: 20 });
    process.nextTick(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250));
    await expect(late).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT' });
    await ended;
    expect(await farm.run('next')).toBe(0);
  });
});
