'use strict';

const { openFarm, next } = require('./fixtures/open-farm');

const MODULE = 'calls/side-by-side.js';
const range = (count) => Array.from({ length: count }, (_, i) => i);

describe('tasksPerWorker', () => {
  test('lets so many tasks that wait run in one worker', async () => {
    const { service } = openFarm(MODULE, { tasksPerWorker: 4 });
    for (let round = 0; round < 20; round++) expect(await Promise.all(range(4).map(() => service.meet(4)))).toEqual([4, 4, 4, 4]);
  });

  test('and no more', async () => {
    const { service } = openFarm(MODULE, { tasksPerWorker: 4 });
    const most = await Promise.all(range(100).map(() => service.most()));
    expect(Math.max(...most)).toBeLessThanOrEqual(4);
    expect(Math.max(...most)).toBeGreaterThan(1);
  });

  test('one by default', async () => {
    const { service } = openFarm(MODULE);
    expect(new Set(await Promise.all(range(20).map(() => service.most())))).toEqual(new Set([1]));
  });

  test('64 at most', async () => {
    const { service } = openFarm(MODULE, { tasksPerWorker: 64 });
    expect(await Promise.all(range(64).map(() => service.meet(64)))).toEqual(range(64).map(() => 64));
    expect(Math.max(...(await Promise.all(range(300).map(() => service.most()))))).toBeLessThanOrEqual(64);
  });

  test('each task has its own context, also after every kind of await', async () => {
    const farm = openFarm(MODULE, { tasksPerWorker: 8 });
    const told = range(40).map(async (name) => {
      const seen = [];
      expect(await farm.run('whoAmI', [name], { onProgress: (value) => seen.push(value) })).toBe(name);
      return seen;
    });
    expect(await Promise.all(told)).toEqual(range(40).map((name) => ['microtask', 'immediate', 'timer', 'io'].map((turn) => `${name} after ${turn}`)));
  });

  test('a cancel reaches the one task, its neighbours and the worker stay', async () => {
    const farm = openFarm(MODULE, { tasksPerWorker: 4 });
    const pid = await farm.service.pid();
    const controller = new AbortController();
    const neighbours = [farm.service.meet(2)];
    const cancelled = farm.run('untilCancelled', [], { signal: controller.signal });
    await farm.service.pid();
    controller.abort(new Error('not needed any more'));
    await expect(cancelled).rejects.toThrow('not needed any more');
    neighbours.push(farm.service.meet(2));
    expect(await Promise.all(neighbours)).toEqual([2, 2]);
    expect(await farm.service.pid()).toBe(pid);
  });
});

describe('hooks of the module', () => {
  test('setup is awaited before the first task and has the context', async () => {
    const { service } = openFarm(MODULE, { workerData: { a: 1 } });
    expect(await service.ready()).toEqual({ workerData: { a: 1 }, workerId: 1 });
  });

  test('teardown is awaited before the worker leaves', async () => {
    const farm = openFarm(MODULE, { stdout: 'pipe' });
    await farm.service.pid();
    const written = next(farm, 'stdout');
    const exit = next(farm, 'exit');
    await farm.close();
    expect(String((await written)[0])).toBe('torn down 1\n');
    expect((await exit)[0]).toMatchObject({ exitCode: 0, signal: null, planned: true, killedFor: null });
  });
});
