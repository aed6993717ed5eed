'use strict';

const { gone, program, running, stateOf, until } = require('../fixtures/life/processes');

/** Starts a program that says the pid of its worker when the worker is in the wanted state, and kills the program. */
async function orphan(source, prepare = () => {}) {
  const { child, line } = running(source);
  const pids = (await line()).split(' ').map(Number);
  for (const pid of pids) expect(stateOf(pid)).toBeDefined();
  await prepare(pids);
  child.kill('SIGKILL');
  await gone(child.pid, ...pids);
}

test('an idle worker ends with its killed parent', () =>
  orphan(`
    const farm = new WorkerFarm(worker, { min: 2, max: 2 }).ref();
    farm.ready().then(() => say(...farm.stats().workers.map(({ pid }) => pid)));
  `));

test('one in an asynchronous wait', () => orphan(`new WorkerFarm(worker, { max: 1 }).run('hang', [], { onProgress: say });`));

test('one in an endless loop', () => orphan(`new WorkerFarm(worker, { max: 1 }).run('spin', [], { onProgress: say });`));

test('one that is stopped', () =>
  orphan(`new WorkerFarm(worker, { max: 1 }).run('hang', [], { onProgress: say });`, async ([pid]) => {
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
  }));

test('one that sleeps in a system call', () => orphan(`new WorkerFarm(worker, { max: 1 }).run('sleep', [], { onProgress: say });`));

test('one that ignores signals', () => orphan(`new WorkerFarm(worker, { max: 1 }).run('ignoreSignals', [], { onProgress: say });`));

test.each([0, 1, 5, 20, 40, 80])('one that was being started, %i ms after its spawn', (ms) =>
  orphan(
    `new WorkerFarm(worker, { max: 2 }).on('spawn', ({ pid }) => say(pid)).run('hang');`,
    () => new Promise((resolve) => setTimeout(resolve, ms)),
  ),
);

test('workers of farms in worker_threads too', () =>
  orphan(`
    const { Worker } = require('node:worker_threads');
    new Worker(${JSON.stringify(`
      const { workerData, parentPort } = require('node:worker_threads');
      const { WorkerFarm } = require(workerData.root);
      new WorkerFarm(workerData.worker, { max: 1 }).run('spin', [], { onProgress: (pid) => parentPort.postMessage(pid) });
    `)}, { eval: true, workerData: { worker, root: process.cwd() } }).on('message', say);
  `));

test('workers of workers', () =>
  orphan(`
    const farm = new WorkerFarm(require.resolve('./__test__/fixtures/life/nested.js'), { max: 1 });
    farm.run('spin', [], { onProgress: (pids) => say(...pids) });
  `));

test('a parent that crashes', async () => {
  const { stdout, signal } = await program(`new WorkerFarm(worker, { max: 1 }).run('spin', [], { onProgress: (pid) => { say(pid); process.abort(); } });`);
  expect(signal).toBe('SIGABRT');
  await gone(Number(stdout));
});
