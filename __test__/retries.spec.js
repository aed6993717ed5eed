'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder: makeFolder, task, until } = require('./fixtures/life/processes');
const { openFarm } = require('./fixtures/open-farm');

const folder = makeFolder();
const open = (options) => openFarm('life/trials.js', { stderr: 'ignore', grace: 0, ...options });
const failure = (promise) => promise.then((value) => Promise.reject(new Error(`it succeeded: ${value}`)), (error) => error);

test('a task whose worker ends is tried again, as often as it may be', async () => {
  const farm = open({ retries: 2 });
  const attempts = [];
  const result = await farm.run('until', [3, 'exit', 'a', [1]], { onProgress: (attempt) => attempts.push(attempt) });
  expect(result).toEqual({ attempt: 3, rest: ['a', [1]] });
  expect(attempts).toEqual([1, 2, 3]);
  expect(farm.stats().tasks).toMatchObject({ open: 0, waiting: 0 });
});

test('the option of a task goes before that of the farm, and the farm\'s holds for the service', async () => {
  const farm = open({ retries: 1 });
  expect(await farm.service.until(2, 'exit')).toMatchObject({ attempt: 2 });
  expect(await failure(farm.run('until', [2, 'exit'], { retries: 0 }))).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 7 });
  expect(await farm.run('until', [3, 'exit'], { retries: 2 })).toMatchObject({ attempt: 3 });
});

test('without retries nothing is, and the error says nothing of it', async () => {
  const error = await failure(open().run('until', [2, 'exit']));
  expect(error.code).toBe('ERR_FARM_WORKER_EXIT');
  expect(error).not.toHaveProperty('attempts');
  expect(error).not.toHaveProperty('history');
});

test('the last error has the number of attempts and what became of the earlier ones', async () => {
  const farm = open({ maxCrashes: 10 });
  const pids = [];
  farm.on('spawn', ({ pid }) => pids.push(pid));
  const error = await failure(farm.run('each', ['exit', 'throw', 'kill'], { retries: 2, retryOn: ['exit', 'error'] }));
  expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', signal: 'SIGKILL', attempts: 3 });
  expect(error.history).toMatchObject([
    { attempt: 1, name: 'FarmError', code: 'ERR_FARM_WORKER_EXIT', pid: pids[0], exitCode: 7, signal: null },
    { attempt: 2, name: 'RangeError', message: 'attempt 2', pid: pids[1] },
  ]);
  expect(error.history.every(({ workerId }) => workerId > 0)).toBe(true);
  expect(error).not.toHaveProperty('quarantined');
});

test.each(['throw', 'reject', 'throwText'])('%s is tried again only where retryOn names it', async (way) => {
  const farm = open({ retries: 1 });
  const once = await failure(farm.run('until', [2, way]));
  expect(once?.message ?? once).toBe('attempt 1');
  if (way !== 'throwText') expect(once).toMatchObject({ attempts: 1, history: [] });
  expect(await farm.run('until', [2, way], { retryOn: ['error'] })).toMatchObject({ attempt: 2 });
});

test('what would come out the same each time is final', async () => {
  const farm = open({ retries: 3, retryOn: ['error'] });
  const file = path.join(folder, 'unsendable');
  const unsendable = await failure(farm.run('noteUnsendable', [file]));
  expect(unsendable).toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', attempts: 1 });
  expect(fs.readFileSync(file, 'utf8')).toBe('1\n');
  expect(await failure(farm.run('nothing'))).toMatchObject({ code: 'ERR_FARM_NO_METHOD', attempts: 1 });
  expect(farm.stats().tasks).toMatchObject({ failed: 2, retried: 0 });
});

test('an error keeps its own properties beside those', async () => {
  const error = await failure(open().run('until', [9, 'throw'], { retries: 1, retryOn: ['error'] }));
  expect(error).toMatchObject({ name: 'RangeError', message: 'attempt 2', detail: 2, attempts: 2, history: [{ attempt: 1, name: 'RangeError' }] });
  expect(error).toBeInstanceOf(RangeError);
});

test.each(['hang', 'spin'])('a timeout (%s) is tried again where retryOn names it', async (way) => {
  const farm = open({ timeout: 400, retries: 1 });
  expect(await failure(farm.run('until', [2, way]))).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT', attempts: 1, history: [] });
  expect(await farm.run('until', [2, way], { retryOn: ['timeout'] })).toMatchObject({ attempt: 2 });
  const error = await failure(farm.run('until', [3, way], { retryOn: ['timeout'] }));
  expect(error).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT', attempts: 2, history: [{ attempt: 1, code: 'ERR_FARM_TASK_TIMEOUT' }] });
  expect(error.history[0].pid).toEqual(expect.any(Number));
});

test.each([100, 5_000, 400_000])('arguments of %i bytes are there again', async (size) => {
  const farm = open({ retries: 2 });
  const text = 'x'.repeat(size);
  const bytes = Buffer.alloc(size, 7);
  expect(await farm.run('until', [3, 'exit', text, bytes])).toEqual({ attempt: 3, rest: [text, bytes] });
  expect(farm.stats().memory.shared).toBe(0);
});

test('a retry gets what the first attempt got, also if that one has written over it', async () => {
  const farm = open({ retries: 1 });
  expect(await farm.run('overwrite', [2, Buffer.alloc(200_000, 7)])).toBe(7);
});

test('a task that has ended maxCrashes workers is not tried again', async () => {
  const farm = open({ retries: 50, maxCrashes: 2 });
  const error = await failure(farm.run('until', [99, 'kill']));
  expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', quarantined: true, attempts: 2, history: [{ attempt: 1, signal: 'SIGKILL' }] });
  expect(error.message).toContain('maxCrashes');
  expect(error.message).toContain(`1. Worker ${error.history[0].workerId} (pid ${error.history[0].pid}) was ended by SIGKILL`);
  expect(await failure(open({ retries: 50 }).run('until', [99, 'exit']))).toMatchObject({ quarantined: true, attempts: 3 });
});

test('its next try goes before what was submitted meanwhile', async () => {
  const farm = open();
  const notes = path.join(folder, 'front');
  const gate = path.join(folder, 'gate');
  const failing = farm.run('failAndNote', [notes, 'first'], { retries: 1, retryOn: ['error'] });
  const { began, ended } = task(farm, 'untilFile', [gate]);
  const others = [1, 2, 3].map((n) => farm.run('note', [notes, `other ${n}`]));
  await began;
  // The one worker is taken for as long as the first task rests.
  await until(() => farm.stats().tasks.resting === 0);
  fs.writeFileSync(gate, '');
  await Promise.all([failing, ended, ...others]);
  expect(fs.readFileSync(notes, 'utf8').trim().split('\n')).toEqual(['first 1', 'first 2', 'other 1', 'other 2', 'other 3']);
});

/** A task that waits for its second try, for as long as it is left alone. */
async function resting(farm, options) {
  const failed = new Promise((resolve) => {
    farm.once('exit', resolve);
  });
  const ended = farm.run('until', [2, 'exit'], { retries: 1, ...options });
  ended.catch(() => {});
  await failed;
  expect(farm.stats().tasks).toMatchObject({ open: 1, resting: 1 });
  return { ended };
}

test('an abort settles it while it waits for its next try', async () => {
  const farm = open();
  const controller = new AbortController();
  const { ended } = await resting(farm, { signal: controller.signal });
  controller.abort('enough');
  await expect(ended).rejects.toBe('enough');
  expect(farm.stats().tasks.open).toBe(0);
  expect(await farm.run('until', [1])).toMatchObject({ attempt: 1 });
});

test('queueTimeout is for the first start only', async () => {
  const farm = open({ queueTimeout: 30_000 });
  const controller = new AbortController();
  expect(await farm.run('until', [2, 'exit'], { retries: 1 })).toMatchObject({ attempt: 2 });
  expect(await farm.run('until', [2, 'spin'], { retries: 1, retryOn: ['timeout'], timeout: 1100, queueTimeout: 1000, signal: controller.signal }))
    .toMatchObject({ attempt: 2 });
});

test('close() settles it with what it has failed with', async () => {
  const farm = open();
  const { ended } = await resting(farm);
  const closed = farm.close();
  expect(await failure(ended)).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 7, attempts: 1, history: [] });
  await closed;
});

test('destroy() settles it at once', async () => {
  const farm = open();
  const { ended } = await resting(farm);
  await farm.destroy();
  await expect(ended).rejects.toMatchObject({ code: 'ERR_FARM_CLOSED' });
});

test('a module that does not load is no reason to try again', async () => {
  const farm = openFarm('life/does-not-load.js', { retries: 5, retryOn: ['exit', 'timeout', 'error'], stderr: 'ignore' });
  let spawned = 0;
  farm.on('spawn', () => spawned++);
  expect(await failure(farm.run('anything'))).toMatchObject({ code: 'ERR_FARM_START' });
  expect(spawned).toBe(1);
});

test('many tasks that crash now and then all come to their end, with their own results', async () => {
  const farm = open({ max: 2, retries: 3, maxCrashes: 100 });
  const results = await Promise.all(Array.from({ length: 60 }, (_, n) => farm.run('until', [n % 4 === 0 ? 2 : 1, n % 8 === 0 ? 'throw' : 'exit', n], { retryOn: ['exit', 'error'], retries: 20 })));
  results.forEach(({ rest }, n) => expect(rest).toEqual([n]));
  expect(farm.stats().tasks).toMatchObject({ open: 0, waiting: 0 });
});

test('bad values are refused with what is allowed', () => {
  const refused = (options) => {
    try {
      open(options);
    } catch (error) {
      return error.message;
    }
    return undefined;
  };
  expect(refused({ retries: -1 })).toBe('retries must be an integer of at least 0, not -1');
  expect(refused({ retries: 1.5 })).toContain('integer');
  expect(refused({ retryOn: ['crash'] })).toBe("retryOn must be an array of 'exit', 'timeout', 'error', not [ 'crash' ]");
  expect(refused({ retryOn: 'exit' })).toContain('an array of');
  expect(refused({ maxCrashes: 0 })).toBe('maxCrashes must be an integer of at least 1, not 0');
  expect(refused({ maxRetries: 1 })).toContain('"retries"');
  expect(refused({ priority: 1 })).toContain('option of one task');
});
