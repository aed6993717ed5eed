'use strict';

const path = require('node:path');
const { WorkerFarm } = require('..');

const ENDLESS = path.join(__dirname, 'fixtures', 'endless.js');

/** @type {WorkerFarm | undefined} */
let farm;

afterEach(() => farm?.destroy());

/** A farm whose one worker never gets free. @param {object} options */
async function busyFarm(options) {
  farm = new WorkerFarm(ENDLESS, { max: 1, ...options });
  await new Promise((resolve, reject) => {
    farm?.run('endless', [], { onProgress: resolve, queueTimeout: Infinity }).catch(reject);
  });
  return farm;
}

// No worker gets to see these tasks, so without the parent's own clock they would never settle.
test('the queueTimeout of the farm ends the waiting of a call of the service', async () => {
  const { service } = await busyFarm({ queueTimeout: 30 });
  await expect(service.add(1, 2)).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT', queueTimeout: 30 });
});

test('the queueTimeout of a task ends its waiting, and the others go on waiting', async () => {
  const busy = await busyFarm({});
  const other = expect(busy.run('add', [1, 2])).rejects.toMatchObject({ code: 'ERR_FARM_CLOSED' });
  await expect(busy.run('add', [1, 2], { queueTimeout: 30 })).rejects.toMatchObject({ code: 'ERR_FARM_QUEUE_TIMEOUT', queueTimeout: 30 });
  expect(busy.stats().tasks.open).toBe(2);
  await busy.destroy();
  await other;
});

test('a closed farm still tells its figures', async () => {
  farm = new WorkerFarm(ENDLESS, { max: 1 });
  await farm.run('add', [1, 2]);
  await farm.close();
  expect(farm.stats()).toMatchObject({ state: 'closed', workers: [], tasks: { open: 0, settled: 1 } });
});
