'use strict';

const { getEventListeners } = require('node:events');
const { WorkerFarm } = require('..');
const { gone, task, worker } = require('./fixtures/life/processes');

let farm;
afterEach(() => farm.destroy());
const make = (options) => {
  farm = new WorkerFarm(worker, { max: 1, ...options });
};

test('a signal that has fired before: the task is never sent', async () => {
  make();
  let spawned = 0;
  farm.on('spawn', () => spawned++);
  const reason = new TypeError('never mind');
  await expect(farm.run('add', [1, 2], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(farm.stats().tasks).toMatchObject({ open: 0, settled: 0 });
  expect(spawned).toBe(0);
});

test('without a reason of its own it is the AbortError of the signal', async () => {
  make();
  const signal = AbortSignal.abort();
  const error = await farm.run('add', [1, 2], { signal }).catch((thrown) => thrown);
  expect(error).toBe(signal.reason);
  expect(error.name).toBe('AbortError');
});

test('while the task waits: it never runs, and the running one is left alone', async () => {
  make();
  const { began, ended } = task(farm, 'untilAborted', [], { timeout: 1000 });
  const pid = await began;
  const controller = new AbortController();
  const waiting = farm.run('next', [], { signal: controller.signal });
  const reason = { not: 'an error' };
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(farm.stats().tasks.open).toBe(1);
  await ended.catch(() => {});
  expect(await farm.run('next')).toBe(0);
  expect(await farm.run('pid')).toBe(pid);
});

test('in the same turn as its submission', async () => {
  make();
  await farm.ready();
  const controller = new AbortController();
  const promise = farm.run('next', [], { signal: controller.signal });
  controller.abort(1);
  await expect(promise).rejects.toBe(1);
  expect(await farm.run('add', [1, 2])).toBe(3);
});

test('by a getter among the arguments', async () => {
  make();
  const controller = new AbortController();
  const argument = {
    get value() {
      controller.abort(1);
      return 2;
    },
  };
  await expect(farm.run('add', [argument, 2], { signal: controller.signal })).rejects.toBe(1);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(farm.stats().tasks).toMatchObject({ open: 0, settled: 0 });
});

const throwing = (name) => Object.defineProperty(new Error('no reason'), name, { configurable: true, get: () => JSON.parse('?') });

test.each([
  ['a name that throws', () => throwing('name')],
  ['a stack that throws', () => throwing('stack')],
  ['nothing that can be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }],
])('for a reason with %s', async (_, makeReason) => {
  make();
  await farm.ready();
  const controller = new AbortController();
  const calls = [1, 2, 3].map((n) => farm.run('untilAborted', [n], { signal: controller.signal }).catch((reason) => ({ reason })));
  controller.abort(makeReason());
  for (const ended of await Promise.all(calls)) expect(Object.is(ended.reason, controller.signal.reason)).toBe(true);
});

test('with a reason that destroys the farm when it is looked at: each call settles once', async () => {
  make();
  await farm.ready();
  const controller = new AbortController();
  const calls = [1, 2, 3].map((n) => farm.run('untilAborted', [n], { signal: controller.signal }));
  const ended = Promise.allSettled(calls);
  const reason = {
    get name() {
      void farm.destroy();
      return 'reason';
    },
  };
  controller.abort(reason);
  for (const { reason: told } of await ended) expect(told).toMatchObject({ code: 'ERR_FARM_CLOSED' });
});

test('beyond the window of what is published', async () => {
  make();
  const { began } = task(farm, 'hang');
  await began;
  const controller = new AbortController();
  const many = Array.from({ length: 6000 }, () => farm.run('next', [], { signal: controller.signal }).catch((error) => error));
  controller.abort('all of them');
  expect(new Set(await Promise.all(many))).toEqual(new Set(['all of them']));
  expect(farm.stats().tasks).toMatchObject({ open: 1, waiting: 0 });
});

test('while it runs and listens: the task ends by itself and the worker lives on', async () => {
  make({ grace: 60_000 });
  const controller = new AbortController();
  const { began, ended } = task(farm, 'untilAborted', [], { signal: controller.signal });
  const pid = await began;
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await expect(ended).rejects.toBe(reason);
  expect(await farm.run('pid')).toBe(pid);
});

test('a loop that looks at ctx.cancelled keeps its worker', async () => {
  make({ grace: 60_000 });
  const controller = new AbortController();
  const { began, ended } = task(farm, 'untilCancelled', [], { signal: controller.signal });
  const pid = await began;
  controller.abort('enough');
  await expect(ended).rejects.toBe('enough');
  expect(await farm.run('pid')).toBe(pid);
});

test('several at once in one worker: all are heard of, and the worker goes on', async () => {
  make({ tasksPerWorker: 4, grace: 60_000 });
  const controller = new AbortController();
  const { signal } = controller;
  const late = [1, 2].map((n) => farm.run('answerLate', [n, 300], { signal }));
  const neighbour = farm.run('answerLate', [3, 300]);
  // First in, first out: when this one is answered the others run.
  const pid = await farm.run('pid');
  controller.abort('enough');
  for (const ended of late) await expect(ended).rejects.toBe('enough');
  expect(await neighbour).toBe(3);
  expect(await farm.run('pid')).toBe(pid);
});

test('while it runs an endless loop: its worker is killed', async () => {
  make();
  const controller = new AbortController();
  const { began, ended } = task(farm, 'spin', [], { signal: controller.signal });
  const pid = await began;
  controller.abort('stop');
  await expect(ended).rejects.toBe('stop');
  await gone(pid);
  expect(await farm.run('pid')).not.toBe(pid);
});

test('after it has settled: nothing happens', async () => {
  make();
  const controller = new AbortController();
  const pid = await farm.run('pid', [], { signal: controller.signal });
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  controller.abort();
  expect(await farm.run('pid')).toBe(pid);
});

test('of tasks that share a signal each rejects, once, and nobody warns of a leak', async () => {
  make({ max: 2 });
  const warnings = [];
  const warn = (warning) => warnings.push(warning);
  process.on('warning', warn);
  const controller = new AbortController();
  const tasks = Array.from({ length: 20 }, () => farm.run('hang', [], { signal: controller.signal }));
  const { began, ended } = task(farm, 'hang', [], { signal: controller.signal });
  await Promise.race([began, farm.ready()]);
  controller.abort('all');
  const ends = await Promise.allSettled([...tasks, ended]);
  await new Promise(setImmediate);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
  expect(ends.map(({ reason }) => reason)).toEqual(Array(21).fill('all'));
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(await farm.run('add', [1, 2])).toBe(3);
});

test('many that are cancelled at any moment never harm the others', async () => {
  make({ max: 2, grace: 60_000 });
  await Promise.all(
    Array.from({ length: 400 }, async (_, n) => {
      const controller = new AbortController();
      const promise = farm.run('answerLate', [n, n % 3], { signal: controller.signal });
      if (n % 2 === 0) {
        expect(await promise).toBe(n);
        return;
      }
      setTimeout(() => controller.abort(`off ${n}`), n % 11);
      const end = await promise.catch((reason) => reason);
      expect([n, `off ${n}`]).toContain(end);
    }),
  );
  expect(farm.stats().tasks.open).toBe(0);
});
