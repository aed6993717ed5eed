'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder: makeFolder, task } = require('./fixtures/life/processes');
const { openFarm } = require('./fixtures/open-farm');

const folder = makeFolder();
let count = 0;

/** A farm whose one worker is taken until `open()`; the tasks note their names when they start. */
async function blocked(options) {
  const farm = openFarm('life/trials.js', options);
  const gate = path.join(folder, `gate-${++count}`);
  const notes = path.join(folder, `notes-${count}`);
  const { began, ended } = task(farm, 'untilFile', [gate]);
  await began;
  const all = [ended];
  return {
    farm,
    note(name, priority, more) {
      const promise = farm.run('note', [notes, name, ...(more?.args ?? [])], { priority, ...more?.options });
      promise.catch(() => {});
      all.push(promise);
      return promise;
    },
    turn: () => new Promise(setImmediate),
    async order() {
      fs.writeFileSync(gate, '');
      await Promise.allSettled(all);
      return fs.readFileSync(notes, 'utf8').trim().split('\n');
    },
  };
}

test('the higher goes first, and within one the first', async () => {
  const { note, order } = await blocked();
  note('low 1', -1);
  note('plain 1');
  note('high 1', 5);
  note('low 2', -1);
  note('highest', 1000);
  note('plain 2', 0);
  note('high 2', 5);
  expect(await order()).toEqual(['highest', 'high 1', 'high 2', 'plain 1', 'plain 2', 'low 1', 'low 2']);
});

test('also before tasks that lie in the queue already', async () => {
  const { note, order, turn } = await blocked();
  for (let n = 0; n < 10; n++) note(`plain ${n}`);
  await turn();
  note('high', 1);
  await turn();
  note('higher', 2);
  await turn();
  note('low', -1);
  expect(await order()).toEqual(['higher', 'high', ...Array.from({ length: 10 }, (_, n) => `plain ${n}`), 'low']);
});

test('with thousands in the queue, and arguments of every size', async () => {
  const { note, order, turn } = await blocked();
  const args = (n) => ({ args: n % 50 === 0 ? ['x'.repeat(n), Buffer.alloc(n * 20)] : ['y'.repeat(n % 200)] });
  const plain = Array.from({ length: 6000 }, (_, n) => `plain ${n}`);
  plain.forEach((name, n) => note(name, 0, args(n)));
  await turn();
  const high = Array.from({ length: 50 }, (_, n) => `high ${n}`);
  for (const name of high) {
    note(name, 1);
    await turn();
  }
  expect(await order()).toEqual([...high, ...plain]);
});

test('one that was taken back can be cancelled, and expire', async () => {
  const { farm, note, order, turn } = await blocked();
  const controller = new AbortController();
  const cancelled = note('cancelled', 0, { options: { signal: controller.signal } });
  const expired = note('expired', 0, { options: { queueTimeout: 20 } });
  await turn();
  note('a', 2);
  note('b', 2);
  note('c', 2);
  await turn();
  controller.abort('no');
  await expect(cancelled).rejects.toBe('no');
  await expect(expired).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT' });
  expect(await order()).toEqual(['a', 'b', 'c']);
  expect(farm.stats().tasks).toMatchObject({ open: 0, waiting: 0 });
});

test('tasks in the queue that are given up make room for those that wait', async () => {
  const farm = openFarm('life/trials.js');
  for (let round = 0; round < 30; round++) {
    // So few are published at a time while priorities differ, and nobody but the caller ends these.
    const controller = new AbortController();
    const given = [1, 2].map(() => farm.run('pid', [], { priority: 1, signal: controller.signal }));
    const others = [1, 2, 3].map(() => farm.run('pid'));
    controller.abort('no');
    await Promise.allSettled(given);
    await Promise.all(others);
    await new Promise(setImmediate);
  }
});

test('all of one priority are plain first in, first out', async () => {
  const { note, order } = await blocked();
  const names = Array.from({ length: 100 }, (_, n) => `task ${n}`);
  names.forEach((name) => note(name, 7));
  expect(await order()).toEqual(names);
});

test('bad values are refused', async () => {
  const { farm } = await blocked();
  for (const priority of [1001, -1001, 0.5, '1', NaN]) {
    await expect(farm.run('pid', [], { priority })).rejects.toThrow('priority must be an integer from -1000 to 1000');
  }
  const { order, note } = await blocked();
  note('x', -1000);
  expect(await order()).toEqual(['x']);
});
