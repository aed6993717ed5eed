'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const path = require('node:path');
const { folder: makeFolder, task } = require('./fixtures/life/processes');
const { openFarm, next } = require('./fixtures/open-farm');

const folder = makeFolder();
let count = 0;

/** A farm of which every worker is taken until `release()`. */
async function busy(options) {
  const farm = openFarm('life/trials.js', options);
  const gate = path.join(folder, `gate-${++count}`);
  const running = Array.from({ length: options.max ?? 1 }, () => task(farm, 'untilFile', [gate]));
  await Promise.all(running.map(({ began }) => began));
  const ended = Promise.all(running.map((each) => each.ended));
  ended.catch(() => {});
  return { farm, release: () => fs.writeFileSync(gate, ''), ended };
}
const full = (maxQueue) => ({ name: 'FarmError', code: 'ERR_FARM_QUEUE_FULL', maxQueue, message: expect.stringContaining('maxQueue') });
const settles = (promise) => promise.then(() => 'result', (error) => error.code ?? error);

describe("overflow: 'reject'", () => {
  test('the task that is one too many rejects at once, those before it are served', async () => {
    const { farm, release, ended } = await busy({ maxQueue: 2 });
    const first = [farm.run('pid'), farm.service.pid()];
    await expect(farm.run('pid')).rejects.toMatchObject(full(2));
    await expect(farm.service.pid()).rejects.toMatchObject(full(2));
    release();
    await Promise.all([...first, ended]);
    expect(await farm.run('pid')).toEqual(expect.any(Number));
  });

  test('0: a task finds a free worker or rejects', async () => {
    const { farm, release, ended } = await busy({ maxQueue: 0, max: 2 });
    await expect(farm.run('pid')).rejects.toMatchObject(full(0));
    const room = next(farm, 'drain');
    release();
    await ended;
    await room;
    expect(await farm.run('pid')).toEqual(expect.any(Number));
  });

  test('every place in a worker counts', async () => {
    const farm = openFarm('life/trials.js', { maxQueue: 1, max: 2, tasksPerWorker: 3 });
    const gate = path.join(folder, 'places');
    const taken = Array.from({ length: 7 }, () => farm.run('untilFile', [gate]));
    expect(await settles(farm.run('pid'))).toBe('ERR_FARM_QUEUE_FULL');
    fs.writeFileSync(gate, '');
    expect(await Promise.all(taken)).toEqual(Array(7).fill(1));
  });

  test('what cannot be sent takes no place', async () => {
    const { farm, release, ended } = await busy({ maxQueue: 1 });
    for (let n = 0; n < 3; n++) expect(await settles(farm.run('pid', [() => {}]))).toBe('ERR_FARM_NOT_CLONEABLE');
    const waiting = farm.run('pid');
    release();
    await Promise.all([waiting, ended]);
  });

  test('a task that is cancelled makes room', async () => {
    const { farm, release, ended } = await busy({ maxQueue: 1 });
    const controller = new AbortController();
    const cancelled = settles(farm.run('pid', [], { signal: controller.signal }));
    expect(await settles(farm.run('pid'))).toBe('ERR_FARM_QUEUE_FULL');
    controller.abort('gone');
    expect(await cancelled).toBe('gone');
    const waiting = farm.run('pid');
    release();
    await Promise.all([waiting, ended]);
  });

  test('map waits instead, with any concurrency', async () => {
    const farm = openFarm('life/trials.js', { maxQueue: 1, max: 1 });
    const results = [];
    for await (const { attempt } of farm.map(Array(50).fill(1), 'until', { concurrency: 20 })) results.push(attempt);
    expect(results).toEqual(Array(50).fill(1));
  });
});

describe("overflow: 'wait'", () => {
  const waiting = { maxQueue: 1, overflow: 'wait' };

  test('what is held is encoded later, in the asynchronous context of its call', async () => {
    const storage = new AsyncLocalStorage();
    const farm = openFarm('life/trials.js', waiting);
    const seen = [];
    const argument = {
      get value() {
        return seen.push(storage.getStore());
      },
    };
    await Promise.all([1, 2, 3, 4, 5].map((n) => storage.run(n, () => farm.run('pid', [argument]))));
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test('calls are held and start in order', async () => {
    const { farm, release, ended } = await busy(waiting);
    const notes = path.join(folder, 'held');
    const names = Array.from({ length: 30 }, (_, n) => `call ${n}`);
    const all = names.map((name) => farm.run('note', [notes, name]));
    expect(farm.stats().tasks).toMatchObject({ held: 29 });
    release();
    await Promise.all([...all, ended]);
    expect(fs.readFileSync(notes, 'utf8').trim().split('\n')).toEqual(names);
    expect(farm.stats().tasks).toMatchObject({ open: 0, held: 0 });
  });

  test('with their values as they are then', async () => {
    const { farm, release, ended } = await busy(waiting);
    void farm.run('pid');
    const list = [];
    const held = farm.run('until', [1, 'exit', list]);
    const bad = settles(farm.run('pid', [() => {}]));
    list.push('later');
    release();
    expect(await held).toEqual({ attempt: 1, rest: [['later']] });
    expect(await bad).toBe('ERR_FARM_NOT_CLONEABLE');
    await ended;
  });

  test('a signal settles a held call', async () => {
    const { farm, release, ended } = await busy(waiting);
    const first = farm.run('pid');
    const controller = new AbortController();
    const { signal } = controller;
    const held = farm.run('pid', [], { signal });
    controller.abort('no more');
    await expect(held).rejects.toBe('no more');
    await expect(farm.run('pid', [], { signal })).rejects.toBe('no more');
    expect(farm.stats().tasks.held).toBe(0);
    release();
    await Promise.all([first, ended]);
  });

  test('a signal reaches a call that was held before', async () => {
    const farm = openFarm('life/trials.js', { maxQueue: 0, overflow: 'wait', grace: 0 });
    const first = farm.run('pid');
    const controller = new AbortController();
    const { began, ended } = task(farm, 'untilFile', [path.join(folder, 'never')], { signal: controller.signal });
    await first;
    await began;
    controller.abort('enough');
    await expect(ended).rejects.toBe('enough');
  });

  test('queueTimeout counts from the call', async () => {
    const { farm, release, ended } = await busy(waiting);
    const first = farm.run('pid');
    const error = await farm.run('pid', [], { queueTimeout: 20 }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT', queueTimeout: 20 });
    const patient = farm.run('pid', [], { queueTimeout: 60_000 });
    release();
    await Promise.all([first, patient, ended]);
  });

  test.each(['close', 'destroy'])('%s() rejects them', async (how) => {
    const { farm, release, ended } = await busy(waiting);
    const first = settles(farm.run('pid'));
    const held = settles(farm.run('pid'));
    const done = farm[how]();
    expect(await held).toBe('ERR_FARM_CLOSED');
    release();
    await done;
    expect(await first).toBe(how === 'close' ? 'result' : 'ERR_FARM_CLOSED');
    await ended.catch(() => {});
  });

  test('a module that does not load settles them all', async () => {
    const farm = openFarm('life/does-not-load.js', { maxQueue: 0, overflow: 'wait', stderr: 'ignore' });
    const ends = await Promise.all(Array.from({ length: 3 }, () => settles(farm.run('anything'))));
    expect(ends).toEqual(Array(3).fill('ERR_FARM_START'));
  });

  test('the stack of a held call tells its caller', async () => {
    const { farm, release, ended } = await busy(waiting);
    void farm.run('pid');
    const held = (async function theCaller() {
      await farm.run('until', [2, 'throw']);
    })().catch((error) => error.stack);
    release();
    expect(await held).toContain('theCaller');
    await ended;
  });
});

describe('drain', () => {
  test('comes once, when half of the queue is free again, for whoever was turned away', async () => {
    const { farm, release, ended } = await busy({ maxQueue: 4 });
    let drains = 0;
    farm.on('drain', () => drains++);
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const tasks = controllers.map(({ signal }) => settles(farm.run('pid', [], { signal })));
    await settles(farm.run('pid'));
    const drained = next(farm, 'drain');
    controllers[0].abort(0);
    await tasks[0];
    await new Promise(setImmediate);
    expect(drains).toBe(0);
    controllers[1].abort(1);
    await drained;
    controllers[2].abort(2);
    release();
    await Promise.all([...tasks, ended]);
    await new Promise(setImmediate);
    expect(drains).toBe(1);
  });

  test('a queue that was never full says nothing', async () => {
    const farm = openFarm('life/trials.js', { maxQueue: 5 });
    let drains = 0;
    farm.on('drain', () => drains++);
    await Promise.all(Array.from({ length: 5 }, () => farm.run('pid')));
    await new Promise(setImmediate);
    expect(drains).toBe(0);
  });

  test('a producer that heeds it gets everything through', async () => {
    const farm = openFarm('life/trials.js', { maxQueue: 10 });
    const all = [];
    while (all.length < 300) {
      const promise = farm.run('pid');
      const turnedAway = await Promise.race([promise.then(() => false, (error) => error.code === 'ERR_FARM_QUEUE_FULL'), new Promise((resolve) => setImmediate(resolve, false))]);
      if (turnedAway) await next(farm, 'drain');
      else all.push(promise);
    }
    await Promise.all(all);
  });
});

test('bad values are refused with what is allowed, and words of other pools point here', () => {
  const refused = (options) => {
    try {
      openFarm('life/trials.js', options);
    } catch (error) {
      return error.message;
    }
    return undefined;
  };
  for (const maxQueue of [-1, 1.5, NaN, '3', null]) expect(refused({ maxQueue })).toContain('maxQueue must be an integer of at least 0, or Infinity');
  expect(refused({ overflow: 'drop' })).toBe("overflow must be one of 'reject', 'wait', not 'drop'");
  for (const name of ['maxConcurrentCalls', 'maxQueueSize']) expect(refused({ [name]: 3 })).toContain('"maxQueue"');
  expect(refused({ maxQueue: Infinity })).toBeUndefined();
});
