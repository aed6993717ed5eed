'use strict';

const net = require('node:net');
const { once } = require('node:events');
const path = require('node:path');
const { WorkerFarm } = require('..');
const { until, worker } = require('./fixtures/life/processes');

let farm;
beforeEach(() => {
  farm = new WorkerFarm(worker, { max: 1 });
});
afterEach(() => farm.destroy());

test('timers of the module run while the worker is idle', async () => {
  await farm.run('startTicking');
  const before = await farm.run('ticks');
  await until(async () => (await farm.run('ticks')) >= before + 20);
});

test('and under a flood of trivial tasks', async () => {
  await farm.run('startTicking');
  const before = await farm.run('ticks');
  let last = before;
  // Never fewer than 200 tasks are there; each round's last task tells how often the timer has run.
  let waiting = [];
  await until(async () => {
    const next = Array.from({ length: 200 }, () => farm.run('ticks'));
    await Promise.all(waiting);
    waiting = next;
    last = await next[199];
    return last >= before + 20;
  });
  await Promise.all(waiting);
  expect(last).toBeGreaterThanOrEqual(before + 20);
});

test('and while a task waits', async () => {
  await farm.run('startTicking');
  expect(await farm.run('untilTicks', [20])).toBeGreaterThanOrEqual(20);
});

test('promises and ticks that synchronous tasks leave behind run, also under a flood', async () => {
  let flooding = true;
  const flood = (async () => {
    while (flooding) await Promise.all(Array.from({ length: 200 }, () => farm.run('add', [1, 2])));
  })();
  for (let n = 0; n < 50; n++) await farm.run('leaveBehind');
  await until(async () => (await farm.run('whatIsLeft')) === 100);
  flooding = false;
  await flood;
});

test('a socket that the module opened answers between tasks and during a flood', async () => {
  const port = await farm.run('serveEcho');
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let flooding = true;
  const flood = (async () => {
    while (flooding) await Promise.all(Array.from({ length: 200 }, () => farm.run('add', [1, 2])));
  })();
  for (const text of ['one', 'two', 'three']) {
    socket.write(text);
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe(text);
  }
  flooding = false;
  await flood;
  socket.write('idle');
  expect(String((await once(socket, 'data'))[0])).toBe('idle');
  socket.destroy();
});

test('small replies take the short way again after large ones', async () => {
  const counted = new WorkerFarm(path.join(__dirname, 'fixtures', 'calls', 'counted-sends.js'), { max: 1 });
  try {
    for (let n = 0; n < 3; n++) expect(await counted.run('reply', [200_000])).toHaveLength(200_000);
    const large = await counted.run('sends');
    expect(large).toBeGreaterThanOrEqual(3);
    // The large scratch is kept for a while, in case more of these come.
    for (let n = 0; n < 150; n++) await counted.run('reply', [10]);
    const before = await counted.run('sends');
    for (let n = 0; n < 50; n++) await counted.run('reply', [10]);
    expect(await counted.run('sends')).toBe(before);
  } finally {
    await counted.destroy();
  }
});
