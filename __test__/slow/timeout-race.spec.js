'use strict';

const { WorkerFarm } = require('../..');
const { worker } = require('../fixtures/life/processes');

let farm;
afterEach(() => farm.destroy());

// The worker lets a task go at the moment at which its timeout strikes: the word that it has may come before the
// supervisor's that the time is over.
test('tasks that end as their timeout strikes settle once each, and no worker is lost', async () => {
  farm = new WorkerFarm(worker, { max: 2, min: 2 });
  await farm.ready();
  const pids = farm.stats().workers.map(({ pid }) => pid);
  let [inTime, late] = [0, 0];
  for (let round = 0; round < 100; round++) {
    const calls = [1, 2, 3, 4].map((n) => farm.run(n % 2 ? 'untilAborted' : 'answerLate', [n, 4], { timeout: 4 + (round % 4) / 4 }));
    for (const { status, value, reason } of await Promise.allSettled(calls)) {
      if (status === 'fulfilled') {
        inTime++;
        expect([2, 4]).toContain(value);
      } else {
        late++;
        expect(reason).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
      }
    }
  }
  expect(inTime + late).toBe(400);
  expect(farm.stats().tasks).toMatchObject({ open: 0, waiting: 0 });
  // Whoever lets go is not killed.
  expect(await Promise.all(Array.from({ length: 50 }, () => farm.run('pid')))).toEqual(expect.arrayContaining([expect.any(Number)]));
  expect(pids.length).toBe(2);
});
