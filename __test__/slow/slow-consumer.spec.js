'use strict';

const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { openFarm } = require('../fixtures/open-farm');
const { until } = require('../fixtures/life/processes');

const MiB = 1024 * 1024;

let file;
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(os.tmpdir(), 'farm-spec-')), 'count');
  writeFileSync(file, '{}');
});
afterEach(() => rmSync(path.dirname(file), { recursive: true }));

/** Bytes of a process that are nobody else's. @param {number} pid */
const privateBytes = (pid) => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

const counted = () => JSON.parse(readFileSync(file, 'utf8'));

/** Blocks this thread, its event loop with it. @param {() => boolean} isSo */
function blockUntil(isSo) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let rounds = 0; rounds < 3000 && !isSo(); rounds++) Atomics.wait(cell, 0, 0, 20);
}

/** The same, until the worker has said for a while that it emits no more; how many values it has emitted. */
function blockUntilStill() {
  let last;
  let same = 0;
  blockUntil(() => {
    const { emitted } = counted();
    same = emitted !== undefined && emitted === last ? same + 1 : 0;
    last = emitted;
    return same === 30;
  });
  return last;
}

test('workers that emit without end leave the event loop its turns', async () => {
  const farm = openFarm('calls/floods.js', { max: 6, min: 6 });
  await farm.ready();
  const controller = new AbortController();
  let values = 0;
  const tasks = Array.from({ length: 6 }, () => farm.run('flood', [], { signal: controller.signal, onProgress: () => values++ }));
  await until(() => values > 1000);
  // Each of these rounds is a turn of the event loop.
  for (let round = 0, seen = 0; round < 20; round++) {
    seen = values;
    await until(() => values > seen);
  }
  controller.abort();
  await Promise.allSettled(tasks);
});

describe.each([
  ['small values', 100, 400_000],
  ['values in blocks', 100 * 1024, 2000],
])('emit() of %s while this process is blocked', (_, size, count) => {
  test('a task that waits for it: bounded, its timers run, and all arrive in order', async () => {
    const farm = openFarm('calls/emits.js', { workerData: { file } });
    await farm.ready();
    const [{ pid }] = farm.stats().workers;
    const before = privateBytes(pid);
    let next = 0;
    let wrong = 0;
    const began = once(farm, 'begun');
    const ended = farm.run('emitAndWait', [count, size], {
      onProgress: (value) => {
        if (Number.parseInt(value, 10) !== next++) wrong++;
        if (next === 1) farm.emit('begun');
      },
    });
    await began;
    const emitted = blockUntilStill();
    expect(emitted).toBeLessThan(count);
    expect(emitted * size).toBeLessThan(100 * MiB);
    expect(privateBytes(pid) - before).toBeLessThan(96 * MiB);
    // Its event loop lives while it waits.
    const { ticks } = counted();
    blockUntil(() => counted().ticks > ticks);
    expect(counted().ticks).toBeGreaterThan(ticks);

    expect(await ended).toBe(count);
    expect([next, wrong]).toEqual([count, 0]);
  });

  test('a task that does not wait for it is held back, and all arrive', async () => {
    const farm = openFarm('calls/emits.js', { workerData: { file } });
    await farm.ready();
    const [{ pid }] = farm.stats().workers;
    const before = privateBytes(pid);
    let next = 0;
    let wrong = 0;
    const ended = farm.run('emitOnAndOn', [count, size], {
      onProgress: (value) => {
        if (Number.parseInt(value, 10) !== next++) wrong++;
      },
    });
    await until(() => next > 0);
    expect(blockUntilStill()).toBeLessThan(count);
    expect(privateBytes(pid) - before).toBeLessThan(96 * MiB);
    expect(await ended).toBe(count);
    expect([next, wrong]).toEqual([count, 0]);
  });
});

test('tiny values count with what each of them takes in the worker, not with their bytes alone', async () => {
  const farm = openFarm('calls/emits.js', { workerData: { file } });
  await farm.ready();
  let next = 0;
  const ended = farm.run('emitOnAndOn', [200_000, 1], { onProgress: () => next++ });
  await until(() => next > 0);
  const before = next;
  expect(blockUntilStill() - before).toBeLessThan(50_000);
  expect(await ended).toBe(200_000);
  expect(next).toBe(200_000);
});

test('results of more bytes than maxSharedMemory while this process is blocked wait, and all arrive', async () => {
  const farm = openFarm('calls/emits.js', { maxSharedMemory: 8 * MiB, views: false, workerData: {} });
  await farm.ready();
  const calls = Array.from({ length: 40 }, (_, index) => farm.service.bytes(index, MiB).then((bytes) => bytes.length === MiB && bytes[0] === index));
  await new Promise(process.nextTick);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  const all = await Promise.all(calls);
  expect(all.every(Boolean)).toBe(true);
});
