'use strict';

// A worker loads the package's files by itself, without Node's loader (lib/worker/entry.js); nobody is to notice.

const path = require('node:path');
const { WorkerFarm } = require('..');

let farm;
afterEach(() => farm.destroy());

test('an ES module is loaded, its errors are FarmErrors to it, and nothing is said about it', async () => {
  let said = '';
  farm = new WorkerFarm(path.join(__dirname, 'fixtures', 'calls', 'own-errors.mjs'), { max: 1, stderr: 'pipe' });
  farm.on('stderr', (chunk) => {
    said += chunk;
  });
  const { ours, code, where } = await farm.run('refused');
  expect([ours, code]).toEqual([true, 'ERR_FARM_NOT_CLONEABLE']);
  // The names of our files are in the stack as ever.
  expect(where).toContain(path.join('lib', 'worker', 'context.js'));
  await farm.close();
  expect(said).toBe('');
});
