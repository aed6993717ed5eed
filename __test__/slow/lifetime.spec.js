'use strict';

const path = require('node:path');
const { WorkerFarm } = require('../..');
const { gone, program, until, worker } = require('../fixtures/life/processes');

const pidsOf = (stdout) => stdout.match(/(?<=pid )\d+/g).map(Number);

test('an idle farm lets the process end, and its workers with it', async () => {
  const { code, stdout, stderr } = await program(`
    const service = createService(worker, { min: 2, max: 2 });
    farmOf(service).on('spawn', ({ pid }) => say('pid', pid));
    service.add(1, 2).then((sum) => say('sum', sum));
  `);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('sum 3');
  await gone(...pidsOf(stdout));
});

test('a farm that was never used lets the process end', async () => {
  expect(await program('new WorkerFarm(worker); new WorkerFarm(worker, { min: 1 }); say("end");')).toMatchObject({ code: 0, stdout: 'end\n', stderr: '' });
});

test('a task holds the process, also one that waits and one with all others done', async () => {
  const { stdout } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 });
    for (let n = 0; n < 3; n++) farm.run('answerLate', [n, 30]).then((value) => say('got', value));
    process.on('exit', () => say('open', farm.stats().tasks.open));
  `);
  expect(stdout).toBe('got 0\ngot 1\ngot 2\nopen 0\n');
});

test('close(), ready() and the retry of a lost task hold the process', async () => {
  const { stdout } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 });
    farm.ready().then(() => { say('ready'); return farm.run('add', [1, 2]); }).then(() => farm.close()).then(() => say('closed'));
  `);
  expect(stdout).toBe('ready\nclosed\n');
});

test('ref() holds an idle farm, unref() lets it go', async () => {
  const { stdout, code } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 }).ref().ref();
    farm.run('add', [1, 2]).then(() => {
      // Nothing but the farm holds the process here.
      setTimeout(() => { say('still here'); farm.unref(); }, 50).unref();
    });
  `);
  expect([stdout, code]).toEqual(['still here\n', 0]);
});

test('what a listener of an unref’d farm does not see does not hold it', async () => {
  const { code } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 });
    farm.on('exit', () => {}); farm.on('workerError', () => {});
    farm.run('throwLater', ['x']);
  `);
  expect(code).toBe(0);
});

test('process.exit() with tasks pending', async () => {
  const { code, stdout } = await program(`
    const farm = new WorkerFarm(worker, { max: 2 });
    farm.on('spawn', ({ pid }) => say('pid', pid));
    let running = 0;
    for (const method of ['spin', 'hang']) farm.run(method, [], { onProgress: () => ++running === 2 && process.exit(7) });
    for (let n = 0; n < 5000; n++) farm.run('add', [1, 2]);
  `);
  expect(code).toBe(7);
  await gone(...pidsOf(stdout));
});

test('an uncaught exception in this process ends it as it would without a farm', async () => {
  const { code, stdout, stderr } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 });
    farm.on('spawn', ({ pid }) => say('pid', pid));
    farm.run('spin', [], { onProgress: () => { throw new Error('mine'); } });
  `);
  expect(code).toBe(1);
  expect(stderr).toContain('Error: mine');
  await gone(...pidsOf(stdout));
});

test('a rejection that nobody handles ends it too', async () => {
  const { code, stderr } = await program(`createService(worker, { max: 1, stderr: 'ignore' }).exit(3);`);
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_FARM_WORKER_EXIT');
});

describe('idleTimeout', () => {
  let farm;
  afterEach(() => farm.destroy());

  /** @param {object} options */
  function make(options) {
    farm = new WorkerFarm(worker, options);
    farm.exits = [];
    farm.spawned = 0;
    farm.on('exit', (record) => farm.exits.push(record));
    farm.on('spawn', () => farm.spawned++);
    farm.ref();
  }

  test('workers that have nothing to do leave by themselves', async () => {
    make({ max: 2, idleTimeout: 50 });
    await Promise.all([farm.run('busy', [20]), farm.run('busy', [20])]);
    await until(() => farm.stats().workers.length === 0);
    expect(farm.exits.map(({ exitCode, planned }) => [exitCode, planned])).toEqual(farm.exits.map(() => [0, true]));
    expect(farm.exits.length).toBe(farm.spawned);
  });

  test('down to min; nobody is started in their place', async () => {
    make({ min: 1, max: 3, idleTimeout: 60 });
    await Promise.all(Array.from({ length: 12 }, () => farm.run('busy', [30])));
    await until(() => farm.stats().workers.length === 1 && farm.exits.length > 0);
    const { spawned } = farm;
    const [{ pid }] = farm.stats().workers;
    // Many times the idle time: the last one stays and no other comes.
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(farm.stats().workers.map((each) => each.pid)).toEqual([pid]);
    }
    expect(farm.spawned).toBe(spawned);
  });

  test('a worker that is busy for longer stays', async () => {
    make({ max: 1, idleTimeout: 20 });
    const pid = await farm.run('pid');
    if (farm.exits.length === 0) expect(await farm.run('answerLate', ['done', 120])).toBe('done');
    expect(farm.exits.filter((record) => !record.planned)).toEqual([]);
    expect(pid).toEqual(expect.any(Number));
  });

  test('a task that comes while a worker leaves is served', async () => {
    make({ max: 1, idleTimeout: 1 });
    for (let n = 0; n < 60; n++) {
      expect(await farm.run('echo', [n])).toBe(n);
      await new Promise((resolve) => setTimeout(resolve, n % 4));
    }
    for (const record of farm.exits) expect(record).toMatchObject({ exitCode: 0, planned: true });
  });

  test('a task is served also while an idle worker does not get away', async () => {
    farm = new WorkerFarm(path.join(__dirname, '..', 'fixtures', 'life', 'lingers.js'), { max: 1, idleTimeout: 20, stdout: 'pipe' });
    farm.ref();
    const leaving = new Promise((resolve) => farm.once('stdout', resolve));
    const pid = await farm.run('pid');
    expect(String(await leaving)).toBe('leaving');
    expect(await farm.run('pid')).not.toBe(pid);
  });

  test('a teardown that does not end is ended after startTimeout, and reload() with it', async () => {
    farm = new WorkerFarm(path.join(__dirname, '..', 'fixtures', 'life', 'lingers.js'), { max: 1, startTimeout: 2000, stdout: 'ignore' });
    const pid = await farm.run('pid');
    const exit = new Promise((resolve) => farm.once('exit', resolve));
    await farm.reload();
    expect(await exit).toMatchObject({ pid, retiredFor: 'reload', killedFor: 'teardown', killedAfter: expect.any(Number) });
    expect(await farm.run('pid')).not.toBe(pid);
  });

  test('idleTimeout 0: workers leave when there is nothing to do', async () => {
    make({ max: 2, idleTimeout: 0 });
    expect(await Promise.all(Array.from({ length: 100 }, (_, n) => farm.run('echo', [n])))).toHaveLength(100);
    await until(() => farm.stats().workers.length === 0);
    expect(await farm.run('add', [1, 2])).toBe(3);
  });
});
