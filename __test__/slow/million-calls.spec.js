'use strict';

const path = require('node:path');
const { WorkerFarm } = require('../..');

const CALLS = 1_000_000;
/** Callers that each wait for their result before the next call. */
const CALLERS = 500;

test('a million calls: each has its own result, every one is counted, and nobody had to be woken twice', async () => {
  const farm = new WorkerFarm(path.join(__dirname, '..', 'fixtures', 'calls', 'echo.js'), { max: 2 });
  let next = 0;
  let wrong = 0;
  const caller = async () => {
    while (next < CALLS) {
      const n = next++;
      if ((await farm.service.echo(n)) !== n) wrong++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const { tasks, run, wait, rescuedWakeups } = farm.stats();
  await farm.close();
  expect({ wrong, open: tasks.open, completed: tasks.completed, settled: tasks.settled }).toEqual({ wrong: 0, open: 0, completed: CALLS, settled: CALLS });
  expect([run.count, wait.count, rescuedWakeups]).toEqual([CALLS, CALLS, 0]);
}, 300_000);
