'use strict';

// A spare waits with short turns on its CPU. Nothing of that stays when it is put to work.

const { WorkerFarm } = require('..');
const { until } = require('./fixtures/life/processes');

const SHORT = 0.3;
const LONG = 20;

test('no thread of a spare that was put to work has its short turns, whenever it was started', async () => {
  const farm = new WorkerFarm(require.resolve('./fixtures/life/own-turns.mjs'), { min: 1, max: 1, spares: 1 });
  try {
    const [pid, before] = [await farm.run('pid'), await farm.run('turns')];
    const main = before.find((thread) => thread.main);
    if (main.ms !== LONG) return console.log(`not checked: turns cannot be had or seen here (${main.ms} ms)`);
    await until(() => farm.stats().workers.some(({ spare, state }) => spare && state === 'online'));
    process.kill(pid, 'SIGKILL');
    await until(() => farm.stats().workers.every((worker) => worker.pid !== pid));
    const after = await farm.run('turns');
    expect(after.find((thread) => thread.main).ms).toBe(LONG);
    expect(after.filter(({ ms }) => ms === SHORT)).toEqual([]);
    expect(after.length).toBeGreaterThanOrEqual(before.length);
  } finally {
    await farm.destroy();
  }
});
