'use strict';

const { once } = require('node:events');
const { join } = require('node:path');
const { WorkerFarm } = require('..');

const MiB = 1024 * 1024;

/** @type {any} */
let farm;
const make = (options) => {
  farm = new WorkerFarm(join(__dirname, 'fixtures', 'life', 'misbehaves.js'), { max: 1, stderr: 'pipe', ...options });
  return farm;
};

afterEach(() => farm.destroy());

/** What waits beside it is served, and what comes after it. */
async function goesOn() {
  expect(await Promise.all(Array.from({ length: 20 }, (_, n) => farm.run('echo', [n])))).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(farm.stats().tasks.open).toBe(0);
}

test('one that closes its doorbells: each call settles, answered or with the end of the worker', async () => {
  make({ startTimeout: 10_000 });
  // The parent's, and one for each place of a worker.
  expect(await farm.run('closeBells', [5])).toBe(5);
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => farm.run('echo', [n])));
  ends.forEach(({ value, reason }, n) => {
    // Descriptors that are opened later get the numbers of the doorbells, and Node does not survive all of that.
    if (reason === undefined) expect(value).toBe(n);
    else expect(reason).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' });
  });
  for (const { pid } of farm.stats().workers) process.kill(pid, 'SIGKILL');
  await once(farm, 'exit');
  await goesOn();
});

test.each([0, 9])('one that exits with %i in the middle of an asynchronous task', async (code) => {
  make();
  const pid = await farm.run('pid');
  const others = Array.from({ length: 10 }, (_, n) => farm.run('echo', [n]));
  await expect(farm.run('exitInTimer', [code])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, exitCode: code, signal: null, killedFor: null });
  await Promise.all(others);
  await goesOn();
});

test.each(['largeThenExit', 'largeLaterThenExit'])('the large answer of one that exits right after it arrives (%s)', async (method) => {
  make();
  for (const size of [8 * MiB, 33 * MiB]) {
    const exit = once(farm, 'exit');
    const answer = await farm.run(method, [size]);
    expect(answer.equals(Buffer.alloc(size, 7))).toBe(true);
    expect((await exit)[0]).toMatchObject({ exitCode: 0, planned: false });
  }
  await goesOn();
});

test('of one that answers twice the first answer counts', async () => {
  make();
  const pid = await farm.run('pid');
  expect(await farm.run('answerTwice', ['first', 'second'])).toBe('first');
  expect(await farm.run('answerTwice', ['third', 'fourth'])).toBe('third');
  await goesOn();
  expect(await farm.run('pid')).toBe(pid);
});

test('answers to tasks that it does not have are dropped', async () => {
  make();
  expect(await farm.run('answerOthers', ['mine'])).toBe('mine');
  await goesOn();
});

test.each([0, 1, 4096, Number.MAX_SAFE_INTEGER])('the forged answer to a task that never was (%i) settles nobody wrongly', async (turn) => {
  make();
  await farm.run('pid');
  const calls = [farm.run('forge', [turn]), ...Array.from({ length: 10 }, (_, n) => farm.run('echo', [n]))];
  const ends = await Promise.allSettled(calls);
  ends.forEach(({ status, value, reason }, n) => {
    if (status === 'fulfilled') expect(value).toBe(n === 0 ? 'forged' : n - 1);
    else expect(reason).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', killedFor: 'poison' });
  });
  await goesOn();
});
