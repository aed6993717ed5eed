'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder: makeFolder, task } = require('./fixtures/life/processes');
const { openFarm } = require('./fixtures/open-farm');

const folder = makeFolder();
let count = 0;

/** A neighbour runs beside a task that keeps the thread and is given up, so that their worker must be killed. */
async function beside(options, blame) {
  const farm = openFarm('life/trials.js', { tasksPerWorker: 2, grace: 0, stderr: 'ignore' });
  const gate = path.join(folder, `gate-${++count}`);
  const neighbour = task(farm, 'untilFile', [gate], options);
  const pid = await neighbour.began;
  const controller = new AbortController();
  const spin = path.join(folder, `spin-${count}`);
  const culprit = task(farm, 'spinOnFile', [spin], { signal: controller.signal, ...blame });
  expect(await culprit.began).toBe(pid);
  fs.writeFileSync(spin, '');
  if (!blame) controller.abort('enough');
  const error = await culprit.ended.catch((thrown) => thrown);
  return { farm, pid, error, neighbour, gate };
}

test.each([
  ['cancelled', undefined, 'enough', 'cancel'],
  ['timed out', { timeout: 1000 }, expect.objectContaining({ code: 'ERR_FARM_TASK_TIMEOUT' }), 'timeout'],
])('beside a task that was %s it rejects as collateral', async (_, blame, expected, killedFor) => {
  const { pid, error, neighbour } = await beside({}, blame);
  expect(error).toEqual(expected);
  const lost = await neighbour.ended.catch((thrown) => thrown);
  expect(lost).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', collateral: true, killedFor, verdict: killedFor, pid });
  expect(lost.message).toContain('did not let go. It also ran this task');
});

test('with retries it runs again, and nothing is counted', async () => {
  const { farm, neighbour, gate } = await beside({ retries: 1 });
  const told = [];
  for (const name of ['taskStart', 'taskRetry', 'taskEnd']) farm.on(name, ({ attempt, attempts, status, error }) => told.push([name, attempt ?? attempts, status, error]));
  fs.writeFileSync(gate, '');
  expect(await neighbour.ended).toBe(1);
  // Its worker may be gone before somebody listens.
  expect(told.slice(-2)).toEqual([['taskStart', 1, undefined, undefined], ['taskEnd', 1, 'completed', undefined]]);
  expect(farm.stats().tasks.open).toBe(0);
});

test('unless retryOn leaves exits out', async () => {
  const { neighbour } = await beside({ retries: 1, retryOn: ['error'] });
  await expect(neighbour.ended).rejects.toMatchObject({ collateral: true, attempts: 1, history: [] });
});

test('a crash of their own is none', async () => {
  const farm = openFarm('life/trials.js', { tasksPerWorker: 2, stderr: 'ignore' });
  const { began, ended } = task(farm, 'untilFile', [path.join(folder, 'never')]);
  await began;
  await expect(farm.run('until', [2, 'exit'])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 7 });
  const error = await ended.catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 7 });
  expect(error).not.toHaveProperty('collateral');
});
