'use strict';

const { once } = require('node:events');
const { WorkerFarm } = require('..');
const { gone, task, worker } = require('./fixtures/life/processes');

let farm;
let unexpected;

beforeEach(() => {
  unexpected = [];
  farm = new WorkerFarm(worker, { max: 1, stderr: 'pipe' });
  farm.on('workerError', (...what) => unexpected.push(what));
});
afterEach(() => farm.destroy());

/** The task rejects with how its worker ended, and the next task runs in a fresh one. */
async function crashes(method, args) {
  const pid = await farm.run('pid');
  const exit = once(farm, 'exit');
  const error = await farm.run(method, args).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_WORKER_EXIT', method, pid, started: true, killedFor: null });
  expect(error.workerId).toEqual(expect.any(Number));
  expect(error.age).toBeGreaterThanOrEqual(0);
  expect(error.message).toContain(`pid ${pid}`);
  const [record] = await exit;
  expect(record).toMatchObject({ pid, workerId: error.workerId, exitCode: error.exitCode, signal: error.signal, planned: false });
  const next = await farm.run('pid');
  expect(next).not.toBe(pid);
  await gone(pid);
  return error;
}

test.each([0, 3])('process.exit(%i)', async (code) => {
  expect(await crashes('exit', [code])).toMatchObject({ exitCode: code, signal: null, message: expect.stringContaining(`exited with code ${code}`) });
});

test.each([['SIGKILL', 'killed'], ['SIGSEGV', 'memory'], ['SIGTERM', 'terminated'], ['SIGBUS', 'memory']])('%s', async (signal, words) => {
  const error = await crashes('kill', [signal]);
  expect(error).toMatchObject({ exitCode: null, signal, signalDescription: expect.stringContaining(words) });
  expect(error.message).toContain(signal);
});

test('abort', async () => {
  expect(await crashes('abort', [])).toMatchObject({ exitCode: null, signal: 'SIGABRT', signalDescription: 'abort' });
});

test('the last lines of stderr are in the error', async () => {
  const error = await crashes('writeAndExit', ['first line\nlast words\n', 5]);
  expect(error).toMatchObject({ exitCode: 5, stderr: 'first line\nlast words' });
  expect(error.message).toMatch(/Last lines of its stderr:\n {2}first line\n {2}last words$/);
});

test('what an uncaught error says is in the error, though many frames stand below it', async () => {
  const frames = Array.from({ length: 12 }, (_, at) => `    at frame (file.js:${at}:1)\n`).join('');
  const error = await crashes('writeAndExit', [`file.js:1\n  throw it\n  ^\n\nError: the reason\n${frames}\nNode.js v0\n`, 1]);
  expect(error.message).toMatch(/Last lines of its stderr:\n {2}file\.js:1\n[^]*\n {2}Error: the reason\n {2}Node\.js v0$/);
  expect(error.stderr).toContain('frame (file.js:11:1)');
});

test('of much stderr the end is kept', async () => {
  const error = await crashes('writeAndExit', [`${'x'.repeat(60_000)}\nthe end\n`, 1]);
  expect(error.stderr.length).toBeLessThanOrEqual(8192);
  expect(error.stderr.endsWith('x\nthe end')).toBe(true);
});

describe.each([
  ['an uncaught exception in a timer of the task', 'throwInTimer'],
  ['an unhandled rejection', 'rejectUnheard'],
])('%s', (_, method) => {
  test('is the cause of the error', async () => {
    const error = await crashes(method, ['out of range']);
    expect(error).toMatchObject({ exitCode: 1, cause: { name: 'RangeError', message: 'out of range' } });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause.stack).toContain('worker.js');
    expect(error.stderr).toContain('RangeError: out of range');
    expect(unexpected).toEqual([]);
  });
});

test('own properties of that error are kept', async () => {
  expect((await crashes('throwInTimer', ['x'])).cause.detail).toBe(7);
});

test.each(['throwLater', 'rejectLater'])('with no task running (%s) it is a workerError event', async (method) => {
  const told = once(farm, 'workerError');
  const exit = once(farm, 'exit');
  await farm.run(method, ['nobody asked']);
  const [error, info] = await told;
  const [record] = await exit;
  expect(error).toMatchObject({ name: 'RangeError', message: 'nobody asked' });
  expect(info.workerId).toBe(record.workerId);
  expect(record).toMatchObject({ exitCode: 1, planned: false });
  expect(await farm.run('add', [1, 2])).toBe(3);
});

test('nobody need listen to that event', async () => {
  farm.removeAllListeners('workerError');
  const exit = once(farm, 'exit');
  await farm.run('throwLater', ['nobody listens']);
  await exit;
  expect(await farm.run('add', [1, 2])).toBe(3);
});

test('a task whose worker is killed from outside', async () => {
  const { began, ended } = task(farm, 'hang');
  const pid = await began;
  process.kill(pid, 'SIGKILL');
  await expect(ended).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, signal: 'SIGKILL', exitCode: null });
});

test('an idle worker that is killed is an exit and nothing else', async () => {
  const pid = await farm.run('pid');
  const exit = once(farm, 'exit');
  process.kill(pid, 'SIGKILL');
  expect((await exit)[0]).toMatchObject({ pid, signal: 'SIGKILL', planned: false });
  expect(await farm.run('pid')).not.toBe(pid);
  expect(unexpected).toEqual([]);
});

test('tasks that wait behind a crash are served', async () => {
  const tasks = Array.from({ length: 40 }, (_, n) => (n % 8 === 3 ? farm.run('exit', [n]) : farm.run('echo', [n])));
  const ends = await Promise.allSettled(tasks);
  ends.forEach((end, n) => {
    if (n % 8 === 3) expect(end.reason).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: n });
    else expect(end.value).toBe(n);
  });
});

test('a module that closes descriptors it does not know goes on, and its end is seen', async () => {
  const pid = await farm.run('pid');
  await farm.run('closeLine');
  expect(await farm.run('pid')).toBe(pid);
  await expect(farm.run('exit', [4])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, exitCode: 4 });
});
