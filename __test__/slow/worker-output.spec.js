'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { openFarm, next } = require('../fixtures/open-farm');

const MODULE = 'calls/surroundings.js';

/**
 * Runs a parent of its own, since what is looked at are its streams.
 * @param {object} options of the farm
 * @param {any[][]} calls
 */
async function outputOf(options, ...calls) {
  const script = path.join(__dirname, '..', 'fixtures', 'calls', 'let-worker-write.js');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, JSON.stringify({ options, calls })], { timeout: 50_000, maxBuffer: 1 << 26 });
  return { stdout, stderr };
}

/**
 * Waits until so many bytes came in an event.
 * @param {any} farm @param {'stdout' | 'stderr'} name @param {number} length
 */
function collect(farm, name, length) {
  return new Promise((resolve) => {
    const chunks = [];
    farm.on(name, (bytes, worker) => {
      chunks.push({ bytes, worker });
      if (chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0) >= length) resolve(chunks);
    });
  });
}

describe.each(['stdout', 'stderr'])('%s', (stream) => {
  const other = stream === 'stdout' ? 'stderr' : 'stdout';

  test('is this process\'s by default', async () => {
    const written = await outputOf({}, ['write', stream, 'first\n'], ['write', stream, 'ü without end']);
    expect(written).toEqual({ [stream]: 'first\nü without end', [other]: '' });
  });

  test('ignored', async () => {
    expect(await outputOf({ [stream]: 'ignore' }, ['write', stream, 'first\n'], ['write', other, 'other\n'])).toEqual({ [stream]: '', [other]: 'other\n' });
  });

  test('with the worker before each line', async () => {
    const written = await outputOf({ [stream]: 'prefix' }, ['write', stream, 'one\ntwo'], ['write', stream, ' half\n\nlast']);
    expect(written).toEqual({ [stream]: '[worker 1] one\n[worker 1] two half\n[worker 1] \n[worker 1] last\n', [other]: '' });
  });

  test('lines of several workers are never mixed', async () => {
    const { [stream]: text } = await outputOf({ [stream]: 'prefix', max: 2, min: 2 }, ...Array.from({ length: 4 }, () => ['fill', stream, 2000, 'a line of some length']));
    const lines = text.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(8000);
    expect(lines.filter((line) => !/^\[worker [12]\] a line of some length \d+$/.test(line))).toEqual([]);
  });

  test('as events with bytes and worker', async () => {
    const farm = openFarm(MODULE, { [stream]: 'pipe' });
    const bytes = collect(farm, stream, 4);
    const workerId = await farm.service.write(stream, '\u{1F69C}');
    const [chunk] = await bytes;
    expect(Buffer.isBuffer(chunk.bytes)).toBe(true);
    expect(chunk).toEqual({ bytes: Buffer.from('\u{1F69C}'), worker: expect.objectContaining({ workerId }) });
  });

  test('as events, many bytes of several workers, each in order', async () => {
    const farm = openFarm(MODULE, { [stream]: 'pipe', max: 2, min: 2 });
    await farm.ready();
    const text = 'x'.repeat(100);
    const length = Array.from({ length: 3000 }, (_, i) => `${text} ${i}\n`.length).reduce((a, b) => a + b);
    const all = collect(farm, stream, 4 * length);
    await Promise.all(Array.from({ length: 4 }, () => farm.service.fill(stream, 3000, text)));
    const byWorker = new Map();
    for (const { bytes, worker } of await all) byWorker.set(worker.workerId, (byWorker.get(worker.workerId) ?? '') + bytes);
    for (const written of byWorker.values()) {
      const numbers = written.trimEnd().split('\n').map((line) => Number(line.split(' ')[1]));
      expect(numbers.every((number, i) => number === i % 3000)).toBe(true);
    }
  });
});

describe.each(['inherit', 'prefix'])('stderr %s', (stderr) => {
  const prefix = stderr === 'prefix' ? '[worker 1] ' : '';
  const lines = Array.from({ length: 20_000 }, (_, i) => `${prefix}a line of some length ${i}\n`).join('');

  test.each(['close', 'destroy', 'process.exit', 'nothing'])('is complete when the caller ends by %s', async (leave) => {
    const written = await outputOf({ stderr, leave }, ['fill', 'stderr', 20_000, 'a line of some length'], ['write', 'stderr', 'no end']);
    expect(written.stderr).toBe(`${lines}${prefix}no end${stderr === 'prefix' ? '\n' : ''}`);
  });
});

test.each(['stdout', 'stderr'])('a worker that leaves has written all of its %s', async (stream) => {
  const farm = openFarm(MODULE, { [stream]: 'pipe' });
  let length = 0;
  farm.on(stream, (bytes) => {
    length += bytes.length;
  });
  const exit = next(farm, 'exit');
  // More than a pipe holds, not waited for by the task.
  await farm.service.fill(stream, 20, 'x'.repeat(100_000));
  await farm.close();
  expect((await exit)[0]).toMatchObject({ exitCode: 0, killedFor: null });
  expect(length).toBe(Array.from({ length: 20 }, (_, i) => `${'x'.repeat(100_000)} ${i}\n`.length).reduce((a, b) => a + b));
});

test('output that is paused stays in the pipe, and its worker waits', async () => {
  const farm = openFarm(MODULE, { stdout: 'pipe' });
  await farm.service.cwd();
  let length = 0;
  farm.on('stdout', (bytes) => {
    length += bytes.length;
  });
  farm.pauseOutput();
  const text = 'x'.repeat(1000);
  const written = farm.service.writeAtOnce(1, text, 5000);
  // Nothing tells that it waits; a task that is not held up fails the test only when it is done by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(farm.stats().tasks).toMatchObject({ running: 1 });
  // At most what came before the pause was seen.
  expect(length).toBeLessThan(2_000_000);
  farm.resumeOutput();
  expect(await written).toBe(5_000_000);
  await farm.close();
  expect(length).toBeGreaterThanOrEqual(5_000_000);
  farm.pauseOutput();
  farm.resumeOutput();
});

test('a farm whose output is paused closes all the same, and what it left is told', async () => {
  const farm = openFarm(MODULE, { stdout: 'pipe' });
  farm.pauseOutput();
  let text = '';
  farm.on('stdout', (bytes) => {
    text += bytes;
  });
  await farm.service.write('stdout', 'last words');
  await farm.close();
  expect(text).toBe('last words');
});

test('a parent that does not look is not filled: workers wait', async () => {
  const script = path.join(__dirname, '..', 'fixtures', 'calls', 'busy-parent.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 50_000 });
  const { sent, grown } = JSON.parse(stdout);
  expect(sent).toBe(400_000_000);
  expect(grown).toBeLessThan(60_000_000);
});

test('all that a worker has written comes before its exit', async () => {
  const farm = openFarm(MODULE, { stdout: 'pipe', stderr: 'pipe' });
  for (let round = 0; round < 10; round++) {
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) farm.on(name, (bytes) => (written[name] += bytes));
    const atExit = new Promise((resolve) => {
      farm.once('exit', () => resolve({ ...written }));
    });
    await expect(farm.service.fillAndExit('stdout', 'stderr', 'x'.repeat(40_000))).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' });
    expect(await atExit).toEqual({ stdout: 'x'.repeat(40_000), stderr: 'x'.repeat(40_000) });
    farm.removeAllListeners();
  }
});

test.each([
  ['inherit', 'first\nlast words\n', 'first\nlast words'],
  ['prefix', '[worker 1] first\n[worker 1] last words\n', 'first\nlast words'],
  ['pipe', '', 'first\nlast words'],
  ['ignore', '', ''],
])('stderr %s: what of it is shown, and what is in the exit record', async (stderr, shown, recorded) => {
  const written = await outputOf({ stderr }, ['complainAndExit', 3]);
  expect(written.stderr).toBe(shown);
  expect(JSON.parse(written.stdout)).toEqual({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 3, stderr: recorded });
});

test('stdin of a worker is empty', async () => {
  expect(await openFarm(MODULE).service.streams()).toEqual({ isTTY: false, stdin: null });
});

test('inspect: each worker says its own port and has an inspector', async () => {
  const farm = openFarm(MODULE, { inspect: true, stderr: 'pipe', min: 2, max: 2 });
  const announced = new Map();
  const bothAnnounced = new Promise((resolve) => {
    farm.on('stderr', (bytes, { workerId }) => {
      announced.set(workerId, (announced.get(workerId) ?? '') + bytes);
      if ([...announced.values()].filter((text) => /ws:\S+\s/.test(text)).length === 2) resolve();
    });
  });
  await Promise.all([farm.ready(), bothAnnounced]);
  const urls = [...announced.values()].map((text) => /ws:\S+/.exec(text)[0]);
  const [first, second] = urls.map((url) => new URL(url).port);
  expect(first).not.toBe(second);
  expect(Number(first)).toBeGreaterThan(0);
  expect(urls).toContain(await farm.service.inspectorUrl());
});
