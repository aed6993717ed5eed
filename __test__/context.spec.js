'use strict';

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');

/** @type {typeof import('../lib/worker/context')} */
let context;
/** @type {any} */
let ctx;
/** @type {[string, unknown][]} */
let emitted;
/** @type {Set<any>} */
let cancelled;

function start(tasksPerWorker) {
  jest.resetModules();
  context = require('../lib/worker/context');
  emitted = [];
  cancelled = new Set();
  context.configure({
    workerId: 4,
    workerData: { colour: 'red' },
    tasksPerWorker,
    hooks: { emit: (task, value) => emitted.push([task.method, value]), isCancelled: (task) => cancelled.has(task) },
  });
  // As a module does: the worker's context is there when it is loaded.
  ctx = require('../lib/worker');
}

/** Runs a function as lib/worker/loop.js does. */
async function run(method, fn, extra = {}) {
  const task = { method, ...extra };
  context.begin(task, fn);
  const result = fn(task);
  if (typeof result?.then !== 'function') {
    context.end(task, fn);
    return result;
  }
  context.leave(fn);
  await result;
  context.end(task);
  return result;
}

afterEach(() => {
  delete globalThis[Symbol.for('farm.worker.context')];
});

describe.each([1, 4])('with %i task(s) per worker', (tasksPerWorker) => {
  beforeEach(() => start(tasksPerWorker));

  test('a task finds its own facts, also after an await', async () => {
    await run(
      'm',
      async () => {
        expect([ctx.method, ctx.attempt, ctx.workerId, ctx.workerData]).toEqual(['m', 2, 4, { colour: 'red' }]);
        await turn();
        expect([ctx.method, ctx.attempt, ctx.cancelled]).toEqual(['m', 2, false]);
      },
      { attempt: 2 },
    );
  });

  test('emit reaches the hook with the task, in order', async () => {
    const { emit } = ctx;
    await run('m', async () => {
      emit(1);
      await turn();
      ctx.emit({ two: 2 });
    });
    expect(emitted).toEqual([
      ['m', 1],
      ['m', { two: 2 }],
    ]);
  });

  test('the signal is one object and fires when the task is cancelled', async () => {
    await run('m', async (task) => {
      const { signal } = ctx;
      expect(ctx.signal).toBe(signal);
      expect([signal.aborted, ctx.cancelled]).toEqual([false, false]);
      const fired = once(signal, 'abort');
      context.cancel(task, new Error('the caller left'));
      await fired;
      expect(signal.reason.message).toBe('the caller left');
      expect(ctx.cancelled).toBe(true);
    });
  });

  test('cancelled is up to date in synchronous code, and a signal made later is aborted from the start', async () => {
    await run('m', (task) => {
      expect(ctx.cancelled).toBe(false);
      cancelled.add(task);
      expect(ctx.cancelled).toBe(true);
      expect(ctx.signal.aborted).toBe(true);
    });
  });

  test('cancelling a task that never asked for its signal is nothing', async () => {
    await run('m', (task) => context.cancel(task));
  });

  test('between tasks only what belongs to the worker is there', async () => {
    await run('m', () => {});
    for (const use of [() => ctx.signal, () => ctx.cancelled, () => ctx.emit(1), () => ctx.attempt, () => ctx.method]) {
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_FARM_UNSUPPORTED' }));
    }
    expect([ctx.workerId, ctx.workerData]).toEqual([4, { colour: 'red' }]);
    expect(context.current()).toBeUndefined();
  });
});

test('several tasks at once each find their own', async () => {
  start(4);
  const seen = [];
  const work = (name) => async () => {
    const { signal } = ctx;
    for (let i = 0; i < 3; i++) {
      await turn();
      ctx.emit(i);
      seen.push(ctx.method === name && ctx.signal === signal);
    }
  };
  const tasks = ['a', 'b', 'c'].map((name) => run(name, work(name)));
  expect(context.current()).toBeUndefined();
  await Promise.all(tasks);
  expect(seen).toEqual(Array(9).fill(true));
  for (const name of ['a', 'b', 'c']) {
    expect(emitted.filter(([method]) => method === name).map(([, value]) => value)).toEqual([0, 1, 2]);
  }
});

const cheap = Number(process.versions.node.split('.')[0]) >= 24;

// See lib/worker/context.js: before Node 24 a worker with one task at a time cannot tell.
test.each(cheap ? [1, 4] : [4])('what a task has left behind belongs to no task (%i per worker)', async (tasksPerWorker) => {
  start(tasksPerWorker);
  let late;
  await run('a', () => {
    late = turn().then(() => ctx.emit('late'));
  });
  const other = run('b', () => turn());
  await expect(late).rejects.toMatchObject({ code: 'ERR_FARM_UNSUPPORTED' });
  await other;
  expect(emitted).toEqual([]);
});

test('nor when functions that return at once share a store, and one of them waits for once', async () => {
  start(4);
  const refusals = [];
  const leave = () => {
    turn().then(() => ctx.emit('late')).catch((error) => refusals.push(error.code));
  };
  const wait = () => turn().then(() => ctx.emit('in time'));
  let waits = false;
  const sometimes = () => (waits ? wait() : leave());
  for (let n = 0; n < 3; n++) await run('a', leave);
  await turn();
  await run('b', wait);
  await run('c', sometimes);
  await turn();
  waits = true;
  await run('c', sometimes);
  await run('c', sometimes);
  expect(emitted).toEqual([['b', 'in time'], ['c', 'in time'], ['c', 'in time']]);
  expect(refusals).toEqual(Array(4).fill('ERR_FARM_UNSUPPORTED'));
});

test('with one task at a time, what the module started before any task serves the one that runs', async () => {
  start(1);
  let emit;
  const fromOutside = new Promise((resolve) => {
    emit = resolve;
  }).then(() => ctx.emit('from outside'));
  await run('a', async () => {
    emit();
    await fromOutside;
  });
  expect(emitted).toEqual([['a', 'from outside']]);
});

test('the first look at the context, in the middle of a task, finds that task', async () => {
  jest.resetModules();
  context = require('../lib/worker/context');
  emitted = [];
  context.configure({ workerId: 1, hooks: { emit: (task, value) => emitted.push([task.method, value]), isCancelled: () => false } });
  await run('a', async () => {
    await turn();
    context.face.emit(1);
    await turn();
    context.face.emit(2);
  });
  await run('b', async () => context.face.emit(3));
  expect(emitted).toEqual([['a', 1], ['a', 2], ['b', 3]]);
});

test('one of several tasks can be cancelled alone', async () => {
  start(4);
  let first;
  let open;
  const gate = new Promise((resolve) => {
    open = resolve;
  });
  const a = run('a', async (task) => {
    first = task;
    const { signal } = ctx;
    await gate;
    return signal.aborted;
  });
  const b = run('b', async () => {
    const { signal } = ctx;
    await gate;
    return signal.aborted;
  });
  context.cancel(first);
  open();
  expect(await Promise.all([a, b])).toEqual([true, false]);
});

test('outside of a worker every use is an error that says so; inside, any copy of the package finds the context', () => {
  const fixture = path.join(__dirname, 'fixtures', 'use-context.mjs');
  expect(JSON.parse(execFileSync(process.execPath, [fixture], { encoding: 'utf8' }))).toEqual({
    outside: Array(5).fill('ERR_FARM_UNSUPPORTED'),
    emitted: ['by name', 'by the copy'],
    method: 'm',
    workerId: 3,
    workerData: { a: 1 },
    same: true,
  });
});
