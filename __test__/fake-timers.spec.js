'use strict';

// Workers live in real time: fake timers of a test, `process.nextTick` among them, must not hold a call up.

const path = require('node:path');

const WORKER = path.join(__dirname, 'fixtures', 'life', 'trials.js');

afterEach(() => jest.useRealTimers());

/** @param {typeof import('..')} farms */
async function everythingThatWaits({ WorkerFarm }) {
  const farm = new WorkerFarm(WORKER, { max: 1, maxQueue: 0, overflow: 'wait' });
  try {
    const ended = [];
    farm.on('taskEnd', ({ status }) => ended.push(status));
    expect(await farm.run('each')).toBe(1);
    expect(await farm.run('each', ['throw'], { retries: 1, retryOn: ['error'] })).toBe(2);
    const held = farm.run('each', ['spin'], { timeout: 50 });
    const waits = farm.run('each', [], { queueTimeout: 10 });
    await expect(waits).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT' });
    await expect(held).rejects.toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
    expect(await new Promise((resolve) => farm.service.each((_error, value) => resolve(value)))).toBe(1);
    expect(ended).toEqual(['completed', 'completed', 'timedOut', 'completed']);
    const [worker] = farm.stats().workers;
    expect(worker.uptime).toBeLessThan(60_000);
  } finally {
    await farm.close({ timeout: 1000 });
  }
}

test('calls, retries, timeouts and close() under fake timers', async () => {
  const farms = require('..');
  jest.useFakeTimers({ now: 0 });
  await everythingThatWaits(farms);
});

test('also where farm is loaded when the fakes are there', async () => {
  jest.resetModules();
  jest.useFakeTimers({ now: 0 });
  await everythingThatWaits(require('..'));
});
