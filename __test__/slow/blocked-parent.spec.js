'use strict';

const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { openFarm } = require('../fixtures/open-farm');

const KiB = 1024;

let directory;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'farm-spec-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/**
 * Blocks this thread, its event loop with it, until both workers have said that they can answer no more and their timers
 * run all the same.
 */
function blockUntilQuiet() {
  const files = [1, 2].map((workerId) => path.join(directory, `quiet-${workerId}`));
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let rounds = 0; rounds < 4000 && !files.every((file) => existsSync(file)); rounds++) Atomics.wait(cell, 0, 0, 10);
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
}

/** Bytes of a process that are nobody else's. @param {number} pid */
const privateBytes = (pid) => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * KiB;

test('100000 replies of 1 KiB while the parent is blocked: the workers keep few, and all arrive', async () => {
  const farm = openFarm('calls/replies.js', { max: 2, min: 2, workerData: { directory } });
  await farm.ready();
  const before = farm.stats().workers.map(({ pid }) => privateBytes(pid));
  let arrived = 0;
  const calls = Array.from({ length: 100_000 }, (_, index) =>
    farm.service.reply(index, KiB).then(({ index: back, text }) => {
      arrived++;
      return back === index && text.length === KiB;
    }),
  );
  await null;
  await new Promise(process.nextTick);
  const quiet = blockUntilQuiet();
  expect(arrived).toBe(0);
  // A ring of 256 KiB, and one reply held beside it.
  for (const { answered } of quiet) expect(answered).toBeLessThan(300);
  const after = farm.stats().workers.map(({ pid }) => privateBytes(pid));
  after.forEach((bytes, index) => expect(bytes - before[index]).toBeLessThan(64 * KiB * KiB));

  expect((await Promise.all(calls)).every(Boolean)).toBe(true);
  expect(farm.stats()).toMatchObject({ tasks: { open: 0, waiting: 0, settled: 100_000 }, rescuedWakeups: 0 });
}, 300_000);

test('replies of 100 KiB among them', async () => {
  const farm = openFarm('calls/replies.js', { max: 2, min: 2, workerData: { directory } });
  await farm.ready();
  const calls = Array.from({ length: 5000 }, async (_, index) => {
    if (index % 10 === 0) {
      const bytes = await farm.service.bytes(index, 100 * KiB);
      return bytes.length === 100 * KiB && bytes.every((byte) => byte === (index & 0xff));
    }
    return (await farm.service.reply(index, index % 5 === 0 ? 100 * KiB : KiB)).index === index;
  });
  await new Promise(process.nextTick);
  blockUntilQuiet();
  expect((await Promise.all(calls)).every(Boolean)).toBe(true);
}, 300_000);

test('blocked again and again', async () => {
  const farm = openFarm('calls/replies.js', { max: 2, min: 2, workerData: { directory } });
  await farm.ready();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let arrived = 0;
  const calls = Array.from({ length: 20_000 }, async (_, index) => {
    const { index: back } = await farm.service.reply(index, KiB);
    if (++arrived % 500 === 0) Atomics.wait(cell, 0, 0, 5);
    return back === index;
  });
  expect((await Promise.all(calls)).every(Boolean)).toBe(true);
  expect(farm.stats().rescuedWakeups).toBe(0);
}, 300_000);
