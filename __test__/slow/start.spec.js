'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { WorkerFarm } = require('../..');
const { folder, gone, worker } = require('../fixtures/life/processes');

const fixture = (...names) => path.join(__dirname, '..', 'fixtures', ...names);
const dir = folder();
let farm;

afterEach(() => farm.destroy());

/** Both the first task and ready() reject; the farm takes later tasks, which try again. */
async function failsToStart(file, options = {}) {
  farm = new WorkerFarm(file, { max: 1, ...options });
  const first = await farm.run('add', [1, 2]).catch((error) => error);
  const ready = await farm.ready().catch((error) => error);
  const second = await farm.run('add', [1, 2]).catch((error) => error);
  for (const error of [first, ready, second]) {
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_START' });
    expect(error.reason).toBe(first.reason);
  }
  expect(first).not.toBe(second);
  return first;
}

test('a module that throws', async () => {
  const file = fixture('modules', 'throws.js');
  const error = await failsToStart(file);
  expect(error.reason).toBe('load');
  expect(error.message).toContain(file);
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.message).toContain(error.cause.message);
  expect(error.cause.stack).toContain(`${file}:`);
});

test('a module that does not parse', async () => {
  const error = await failsToStart(fixture('modules', 'syntax-error.js'));
  expect(error).toMatchObject({ reason: 'load', cause: { name: 'SyntaxError' } });
  expect(error.cause.stack).toContain('syntax-error.js');
});

test('a module that exports no function', async () => {
  const error = await failsToStart(fixture('modules', 'empty.js'));
  expect(error).toMatchObject({ reason: 'load', message: expect.stringMatching(/empty\.js exports no function/) });
});

test('a module that ends the process while it is loaded', async () => {
  const error = await failsToStart(fixture('life', 'exits-in-load.js'), { stderr: 'ignore' });
  expect(error).toMatchObject({ reason: 'load', exitCode: 9, signal: null, message: expect.stringMatching(/exited with code 9 before it was ready/) });
});

// Elsewhere the number is not in one piece in the code.
(process.arch === 'x64' ? test : test.skip)('a worker whose addon is of another build says so at once', async () => {
  const native = require('../../native.js');
  const number = Buffer.from(native.lineBuild(), 'hex').reverse();
  const addon = fs.readFileSync(native.libraryPath());
  for (let at = addon.indexOf(number); at >= 0; at = addon.indexOf(number, at)) addon[at] ^= 1;
  const doctored = path.join(dir, 'doctored.node');
  fs.writeFileSync(doctored, addon);
  const libraryPath = jest.spyOn(native, 'libraryPath').mockReturnValue(doctored);
  try {
    const error = await failsToStart(worker, { stderr: 'ignore' });
    expect(error.reason).toBe('handshake');
    expect(error.message).toContain(`(line ${native.lineBuild()})`);
    expect(error.message).toContain('restart the parent');
    expect(libraryPath).toHaveBeenCalled();
  } finally {
    libraryPath.mockRestore();
  }
});

test('what it wrote to stderr before that is in the error', async () => {
  const error = await failsToStart(fixture('life', 'exits-in-load.js'), { stderr: 'pipe' });
  expect(error.stderr).toBe('said before the end');
  expect(error.message).toContain('said before the end');
});

test.each(['never-loads.mjs', 'never-loads-busy.js'])('a module that is never loaded (%s) is killed after startTimeout', async (name) => {
  const pids = [];
  farm = new WorkerFarm(fixture('life', name), { max: 1, startTimeout: 300 });
  farm.on('spawn', ({ pid }) => pids.push(pid));
  const [task, ready] = await Promise.allSettled([farm.run('add', [1, 2]), farm.ready()]);
  expect(task.reason).toMatchObject({ code: 'ERR_FARM_START', reason: 'handshake', killedFor: 'startTimeout', signal: 'SIGKILL' });
  expect(task.reason.message).toMatch(/^A worker for .+ was not ready within startTimeout and was killed/);
  expect(ready.reason).toMatchObject({ code: 'ERR_FARM_START' });
  await gone(...pids);
});

test('a worker that has answered is online for stats(), however late the news of it is', async () => {
  for (let n = 0; n < 10; n++) {
    farm = new WorkerFarm(worker, { max: 1 });
    const online = [];
    farm.on('online', ({ workerId }) => online.push(workerId));
    await farm.run('add', [1, 2]);
    expect(farm.stats().workers).toMatchObject([{ workerId: 1, state: 'online' }]);
    await farm.ready();
    await farm.close();
    expect(online).toEqual([1]);
  }
});

test('a setup that throws', async () => {
  const error = await failsToStart(fixture('life', 'setup-throws.js'));
  expect(error).toMatchObject({ reason: 'load', cause: { name: 'TypeError', message: 'the database is away' } });
  expect(error.message).toContain('the database is away');
  expect(error.cause.stack).toContain('setup-throws.js');
});

test('an execPath that does not exist', async () => {
  const error = await failsToStart(worker, { execPath: '/no/such/node' });
  expect(error).toMatchObject({ reason: 'spawn', message: expect.stringMatching(/could not be started: \/no\/such\/node: .*No such file/) });
});

test('a working directory that does not exist is named, not the program', async () => {
  const error = await failsToStart(worker, { cwd: '/no/such/folder' });
  expect(error).toMatchObject({ reason: 'spawn', message: expect.stringContaining('working directory /no/such/folder does not exist') });
});

test('an execArgv that node refuses', async () => {
  const error = await failsToStart(worker, { execArgv: ['--no-such-option'], stderr: 'pipe' });
  expect(error).toMatchObject({ reason: 'load', exitCode: 9, stderr: expect.stringContaining('bad option: --no-such-option') });
});

test('when what was wrong is put right, the next task is served', async () => {
  const file = path.join(dir, 'there-now');
  farm = new WorkerFarm(fixture('life', 'fails-first.js'), { max: 1, workerData: file });
  await expect(farm.run('add', [1, 2])).rejects.toMatchObject({ code: 'ERR_FARM_START', cause: { message: 'not yet' } });
  fs.writeFileSync(file, '');
  await expect(farm.run('add', [1, 2])).resolves.toBe(3);
});

test('workers that are kept are tried again by themselves', async () => {
  const file = path.join(dir, 'there-in-a-while');
  farm = new WorkerFarm(fixture('life', 'fails-first.js'), { min: 2, max: 2, workerData: file });
  await expect(farm.ready()).rejects.toMatchObject({ code: 'ERR_FARM_START', cause: { message: 'not yet' } });
  let online = 0;
  const both = new Promise((resolve) => farm.on('online', () => ++online === 2 && resolve()));
  fs.writeFileSync(file, '');
  farm.ref();
  await both;
  expect(farm.stats().workers.map(({ state }) => state)).toEqual(['online', 'online']);
});

test('workers that are kept and always fail are not started without end', async () => {
  farm = new WorkerFarm(fixture('modules', 'throws.js'), { min: 2, max: 2 });
  let spawned = 0;
  farm.on('spawn', () => spawned++);
  const began = Date.now();
  await expect(farm.ready()).rejects.toMatchObject({ code: 'ERR_FARM_START' });
  await new Promise((resolve) => setTimeout(resolve, 700));
  // Two at once; then again after 0.1, 0.2, 0.4 s, … as long as this took.
  const rounds = 1 + Math.ceil(Math.log2((Date.now() - began) / 100 + 1));
  expect(spawned).toBeGreaterThanOrEqual(2);
  expect(spawned).toBeLessThanOrEqual(2 * rounds);
});

test('all tasks that wait reject when nobody can serve them, each with its own error', async () => {
  farm = new WorkerFarm(fixture('modules', 'throws.js'), { max: 2 });
  const ends = await Promise.allSettled(Array.from({ length: 50 }, () => farm.run('add', [1, 2])));
  expect(ends.map(({ reason }) => reason?.code)).toEqual(Array(50).fill('ERR_FARM_START'));
  expect(new Set(ends.map(({ reason }) => reason)).size).toBe(50);
  expect(farm.stats().tasks.open).toBe(0);
});
