'use strict';

const { program } = require('../fixtures/life/processes');

const counts = `
  const fs = require('node:fs');
  const { segments } = require('./__test__/fixtures/shared-memory');
  // Private memory without V8's own heap, of which it gives back when it likes.
  const held = () => {
    const [, resident, shared] = fs.readFileSync('/proc/self/statm', 'latin1').split(' ').map(Number);
    return (resident - shared) * 4096 - process.memoryUsage().heapTotal;
  };
  const count = () => ({
    descriptors: fs.readdirSync('/proc/self/fd').length,
    threads: fs.readdirSync('/proc/self/task').length,
    mappings: segments(['farm-queue', 'farm-worker', 'farm-requests', 'farm-replies']).length,
    memory: held(),
    children: fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim(),
  });
  const settled = async () => { for (let n = 0; n < 5; n++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); } };
`;

/**
 * Counts what a process holds after some farms and after many.
 * @param {string} body of an async function of n that opens a farm and ends it
 * @param {number} times
 */
async function compare(body, times) {
  const { stdout, stderr, code } = await program(
    `${counts}
    const one = async (n) => { ${body} };
    (async () => {
      for (let n = 0; n < 10; n++) await one(n);
      await settled();
      const before = count();
      for (let n = 0; n < ${times}; n++) await one(n);
      await settled();
      say(JSON.stringify([before, count()]));
    })();`,
    { args: ['--expose-gc'] },
  );
  expect([stderr, code]).toEqual(['', 0]);
  const [{ memory: memoryBefore, ...before }, { memory, ...after }] = JSON.parse(stdout);
  expect(after).toEqual(before);
  // What the allocator keeps differs from run to run; a page per farm would be 40 MiB.
  expect(memory - memoryBefore).toBeLessThan(16 << 20);
  expect(after.children).toBe('');
  return after;
}

test('10 000 farms that were opened and closed leave nothing', async () => {
  const left = await compare(`const farm = new WorkerFarm(worker, { max: 1 }); await (n % 2 ? farm.close() : farm.destroy());`, 10_000);
  expect(left.mappings).toBe(0);
}, 300_000);

test('100 that have worked leave nothing', async () => {
  const left = await compare(`const farm = new WorkerFarm(worker, { max: 1 }); await farm.run('echo', [Buffer.alloc(n * 1000)]); await (n % 2 ? farm.close() : farm.destroy());`, 100);
  expect(left.mappings).toBe(0);
}, 300_000);

test('30 in threads leave nothing', () =>
  compare(
    `
    const { Worker } = require('node:worker_threads');
    const thread = new Worker(require.resolve('./__test__/fixtures/life/thread.js'), { workerData: { worker, method: n % 2 ? 'pid' : 'hang' } });
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    await new Promise((resolve) => thread.once('message', resolve));
    if (n % 2 === 0) thread.terminate();
    await ended;
    `,
    30,
  ), 300_000);
