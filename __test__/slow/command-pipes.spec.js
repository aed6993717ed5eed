'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Readable } = require('node:stream');
const { FARM, WORKERS, folder, run, start } = require('../fixtures/command/run');

const shell = (/** @type {string} */ command, /** @type {string} */ cwd) => {
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd, env: { ...process.env, FARM: `${process.execPath} ${FARM} map ${WORKERS}` } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (/** @type {Buffer} */ bytes) => (output[name] += bytes));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
};

test('a reader that goes away ends it quietly, also when the input would never end', async () => {
  expect(await shell('yes | { $FARM --lines --method upper; echo "farm $?" >&2; } | head -1', folder())).toMatchObject({ stdout: 'Y\n', stderr: 'farm 0\n' });
});

test('a reader of standard error that goes away is no reason to end', async () => {
  expect(await shell('(seq 5 | $FARM --lines --ordered --method prints 3>&2 2>&1 1>&3 | true) 2>&1', folder())).toMatchObject({ code: 0, stdout: '1\n2\n3\n4\n5\n' });
});

test('a closed standard input is an empty one', async () => {
  expect(await shell('$FARM --lines --method upper <&-', folder())).toMatchObject({ code: 0, stdout: '' });
});

test('a slow reader holds the reading up, and nothing is lost', async () => {
  const at = folder();
  // Each result is long, so that the pipe and what may wait are soon full.
  const { child, ended } = start(['--lines', '--ordered', '--method', 'long'], { cwd: at });
  let read = 0;
  const input = Readable.from(
    (function* () {
      for (; read < 2000; read++) yield `${read}\n`;
    })(),
    { highWaterMark: 1 },
  );
  child.stdout.pause();
  input.pipe(child.stdin);
  // 2000 lines fit into the pipe of standard input; how far the work has come is what the workers were given.
  const worked = () => fs.readdirSync(at).length;
  let before = -1;
  while (worked() === 0 || before !== worked()) {
    before = worked();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(worked()).toBeLessThan(500);
  child.stdout.resume();
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([...Array.from({ length: 2000 }, (_, i) => String(i)), '']);
});

describe('a slow reader of standard error', () => {
  /** Begins work that prints and fails, and waits until it stands still. */
  async function stuck() {
    const at = folder();
    const { child, ended } = start(['--lines', '--method', 'printLong'], { cwd: at });
    child.stderr.pause();
    child.stdin.end(Array.from({ length: 2000 }, (_, i) => `${i}\n`).join(''));
    const worked = () => fs.readdirSync(at).length;
    let before = -1;
    while (worked() === 0 || before !== worked()) {
      before = worked();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return { child, ended, worked };
  }

  test('holds the work up, and nothing is lost', async () => {
    const { child, ended, worked } = await stuck();
    expect(worked()).toBeLessThan(500);
    child.stderr.resume();
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    const numbers = (/** @type {RegExp} */ line) => Array.from(stderr.matchAll(line), ([, number]) => Number(number)).sort((a, b) => a - b);
    const all = Array.from({ length: 2000 }, (_, i) => i);
    expect(numbers(/^\[worker \d\] (\d+) x{20000}$/gm)).toEqual(all);
    expect(numbers(/^farm: line \d+: failed (\d+)$/gm)).toEqual(all);
  });

  test('does not hold up a second signal', async () => {
    const { child, ended } = await stuck();
    const exit = new Promise((resolve) => child.once('exit', resolve));
    // Two kinds, since a second one of a kind that has not been taken is none.
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect([130, 143]).toContain(await exit);
    child.stderr.destroy();
    await ended;
  });
});

test('SIGTERM ends with 143 after what runs, although the input never ends', async () => {
  const at = folder({ log: '' });
  const data = JSON.stringify({ log: path.join(at, 'log'), gate: path.join(at, 'gate') });
  const { child, output, ended } = start(['--lines', '--method', 'gated', '-j', '1', '--worker-data', data], { cwd: at });
  child.stdin.write('one\n');
  while (fs.readFileSync(path.join(at, 'log'), 'utf8') === '') await new Promise(setImmediate);
  child.kill('SIGTERM');
  while (!output.stderr.includes('SIGTERM: finishing')) await new Promise(setImmediate);
  fs.writeFileSync(path.join(at, 'gate'), '');
  expect(await ended).toMatchObject({ code: 143, stdout: 'one\n' });
});

test('a second signal ends it although nobody reads the results', async () => {
  const { child, output, ended } = start(['--lines', '--method', 'upper', '-j', '1'], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdout.pause();
  const endless = Readable.from((function* () { for (;;) yield 'x'.repeat(10_000) + '\n'; })());
  endless.pipe(child.stdin);
  await new Promise((resolve) => child.stdout.once('readable', resolve));
  child.kill('SIGINT');
  while (!output.stderr.includes('SIGINT: finishing')) await new Promise(setImmediate);
  child.kill('SIGINT');
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
  endless.destroy();
  child.stdout.destroy();
  await ended;
});

test('a second signal ends it when only the reader is waited for', async () => {
  const at = folder();
  const { child, output, ended } = start(['--lines', '--method', 'huge', '-j', '1'], { cwd: at });
  child.stdout.pause();
  child.stdin.end('1\n');
  while (!fs.existsSync(path.join(at, 'ran-1'))) await new Promise(setImmediate);
  child.kill('SIGINT');
  while (!output.stderr.includes('SIGINT: finishing')) await new Promise(setImmediate);
  // Nothing tells that the worker is done and only the reader is waited for; too short a wait tests less and does not fail.
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill('SIGINT');
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
  child.stdout.destroy();
  await ended;
});

test('--quiet says nothing, --json one line of facts', async () => {
  expect(await run(['--quiet', '--lines', '--method', 'upper'], { input: 'a\n' })).toEqual({ code: 0, signal: null, stdout: 'A\n', stderr: '' });
  const { code, stderr } = await run(['--json', '--lines', '--method', 'failOdd'], { input: '1\n2\n' });
  expect(code).toBe(1);
  const facts = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
  expect(facts).toMatchObject({ done: 1, failed: 1, before: 0, bytesIn: 4, bytesOut: 2, failures: [{ input: 'line 1', error: 'RangeError: 1 is odd' }] });
});

test('--limit-rate: no more starts than it allows', async () => {
  const began = performance.now();
  const { code } = await run(['--lines', '--method', 'upper', '--limit-rate', '20/s'], { input: '1\n'.repeat(11) });
  expect(code).toBe(0);
  expect(performance.now() - began).toBeGreaterThan(490);
});

test('--limit-rate of one in centuries waits, and a signal ends the wait', async () => {
  const { child, output, ended } = start(['--lines', '--method', 'upper', '--limit-rate', '0.001/h', '-j', '1']);
  child.stdin.end('a\nb\n');
  while (output.stdout === '') await new Promise(setImmediate);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: 'A\n' });
  expect(stderr).not.toContain('Warning');
});

test('worker data, version and help', async () => {
  expect(await run(['--lines', '--method', 'data', '--worker-data', '{"a":[1]}'], { input: 'x\n' })).toMatchObject({ code: 0, stdout: '{"a":[1]}\n' });
  expect(await run(['--help'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: farm map [^]*Examples:[^]*Exit codes/) });
});
