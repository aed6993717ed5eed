'use strict';

const { once } = require('node:events');
const { WorkerFarm } = require('../..');
const { join } = require('node:path');
const { task, until } = require('../fixtures/life/processes');

const wedged = join(__dirname, '..', 'fixtures', 'life', 'wedged.js');

/** @type {any} */
let farm;
const make = (options) => {
  farm = new WorkerFarm(wedged, { max: 1, stderr: 'pipe', ...options });
  return farm;
};
const failed = (promise) => promise.then((value) => Promise.reject(new Error(`it came to ${value}`)), (error) => error);
const activity = () => farm.stats().workers.map((worker) => worker.activity).join();

afterEach(() => farm.destroy());

describe('a worker that is blocked', () => {
  test('is only told as such without that option', async () => {
    make();
    const { began } = task(farm, 'block');
    await began;
    await until(() => activity() === 'blocked');
  });

  test('is not one that computes', async () => {
    make({ stallTimeout: 200 });
    const { began, ended } = task(farm, 'spin', [], { timeout: 1500 });
    await began;
    await until(() => activity() === 'busy');
    expect(await failed(ended)).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
  });

  test('is not one that waits', async () => {
    make({ stallTimeout: 200 });
    const { began, ended } = task(farm, 'hang', [], { timeout: 1500 });
    await began;
    await until(() => activity() === 'waiting');
    expect(await failed(ended)).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
  });

  test('is not one whose child computes', async () => {
    make({ stallTimeout: 500 });
    expect(await farm.run('letCompute', [2500])).toBe('computed');
  });
});

describe.each(['blockLater', 'spinLater'])('a worker that does not hear (%s)', (method) => {
  test('is replaced when tasks wait for startTimeout', async () => {
    make({ startTimeout: 2000 });
    const exit = once(farm, 'exit');
    const begun = once(farm, 'stderr');
    const pid = await farm.run(method);
    await begun;
    expect(await farm.run('pid')).not.toBe(pid);
    const [record] = await exit;
    expect(record).toMatchObject({ pid, killedFor: 'deaf', signal: 'SIGKILL' });
    expect(record.killedAfter).toBeGreaterThanOrEqual(2000);
  });
});
