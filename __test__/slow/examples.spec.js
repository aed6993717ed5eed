'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');

const ROOT = path.join(__dirname, '..', '..');
const EXAMPLES = path.join(ROOT, 'examples');

/** @type {Set<import('node:child_process').ChildProcess>} */
const started = new Set();

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** @param {string} file @param {Record<string, string>} [env] @param {string[]} [args] */
function start(file, env = {}, args = []) {
  const child = spawn(process.execPath, [file, ...args], { cwd: os.tmpdir(), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output.text += bytes));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, lines: output.text.trimEnd().split('\n') });
    });
  });
  return { child, ended };
}

/** @param {string} file below examples/ */
async function linesOf(file) {
  const { code, signal, lines } = await start(path.join(EXAMPLES, file)).ended;
  expect({ code, signal, lines }).toMatchObject({ code: 0, signal: null });
  return lines;
}

test('basics', async () => {
  expect(await linesOf('basics/main.js')).toEqual([
    '3 + 4 = 7',
    'primes below 1e3, 1e5, 1e6: 168, 9592, 78498',
    'true 7 is odd 7',
    'half of 84 is 42',
  ]);
});

test('progress and cancel', async () => {
  expect(await linesOf('progress-and-cancel/main.js')).toEqual([
    'step 1 of 3',
    'step 2 of 3',
    'step 3 of 3',
    'done',
    'patient: no longer wanted; the same worker goes on',
    'asking: no longer wanted; the same worker goes on',
    'deaf: no longer wanted; a fresh worker has taken its place',
    'ERR_FARM_TASK_TIMEOUT',
  ]);
});

test('map', async () => {
  const files = fs.readdirSync(EXAMPLES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size, 0);
  expect(await linesOf('map/main.mjs')).toEqual([
    `${files.length} files, ${bytes} bytes`,
    'first square above 1000: 1024',
    'read ahead by at most 8: true',
    'in any order: 1 4 9',
  ]);
});

test('crash isolation', async () => {
  expect(await linesOf('crash-isolation/main.js')).toEqual([
    'ERR_FARM_WORKER_EXIT | exit code 3 | signal null | cause undefined',
    'ERR_FARM_WORKER_EXIT | exit code null | signal SIGSEGV | cause undefined',
    'ERR_FARM_WORKER_EXIT | exit code 1 | signal null | cause nobody catches this',
    'the others: 9900',
  ]);
});

test('http server', async () => {
  const { child, ended } = start(path.join(EXAMPLES, 'http-server', 'main.js'), { PORT: '0' });
  const address = await new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const url = /http:\S+/.exec(line)?.[0];
      if (url) resolve(url);
    });
    ended.then(({ lines }) => reject(new Error(lines.join('\n'))));
  });
  const get = async (/** @type {string} */ route) => {
    const response = await fetch(address + route);
    return [response.status, (await response.text()).trim()];
  };
  const order = [];
  const hash = get('/hash/secret').then((answer) => order.push('hash') && answer);
  const health = get('/health').then((answer) => order.push('health') && answer);
  expect(await health).toEqual([200, 'fine']);
  const { scryptSync } = require('node:crypto');
  expect(await hash).toEqual([200, scryptSync('secret', 'a salt', 32, { N: 2 ** 15, maxmem: 2 ** 26 }).toString('hex')]);
  expect(order).toEqual(['health', 'hash']);
  expect(await get('/nowhere')).toEqual([404, 'no such route']);
  child.kill('SIGTERM');
  const { code, signal, lines } = await ended;
  expect({ code, signal, last: lines.at(-1) }).toEqual({ code: 0, signal: null, last: 'closed' });
});

test('aggregate', async () => {
  const { reading } = require('../../examples/aggregate/readings');
  const rows = 200_000;
  const total = new Map();
  for (let row = 0; row < rows; row++) {
    const [station, celsius] = reading(row).split(',');
    const seen = total.get(station) ?? [];
    seen.push(Number(celsius));
    total.set(station, seen);
  }
  const { ended } = start(path.join(EXAMPLES, 'aggregate', 'main.mjs'), {}, [String(rows)]);
  const expected = [...total].sort().map(([station, seen]) => {
    const [least, most] = [seen.reduce((a, b) => Math.min(a, b)), seen.reduce((a, b) => Math.max(a, b))];
    return `${station}: ${seen.length} readings, ${least.toFixed(1)} to ${most.toFixed(1)}, mean ${(seen.reduce((a, b) => a + b) / seen.length).toFixed(1)}`;
  });
  expect(await ended).toMatchObject({ code: 0, lines: expected });
});

test('passwords', async () => {
  const bcrypt = require('bcryptjs');
  const folder = path.join(EXAMPLES, 'passwords');
  const { ended } = start(path.join(ROOT, 'bin', 'farm.js'), {}, ['map', path.join(folder, 'worker.js'), '--method', 'hash', '--ndjson', '--ordered', path.join(folder, 'users.ndjson')]);
  const { code, lines } = await ended;
  const hashed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const users = fs.readFileSync(path.join(folder, 'users.ndjson'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
  expect(code).toBe(0);
  expect(hashed.map(({ user }) => user)).toEqual(['ada', 'grace', 'linus', 'margaret']);
  for (const { user, hash } of hashed) expect(bcrypt.compareSync(users.find((one) => one.user === user).password, hash)).toBe(true);
});

describe('typescript', () => {
  const expected = ['length 10, centre 3/4', 'thrown in the worker: TypeError'];

  test('compiled', async () => {
    const out = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-typescript-'));
    try {
      const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      const compiler = spawn(process.execPath, [tsc, '-p', path.join(EXAMPLES, 'typescript'), '--outDir', out], { stdio: ['ignore', 'pipe', 'inherit'] });
      started.add(compiler);
      let said = '';
      compiler.stdout.on('data', (bytes) => (said += bytes));
      const code = await new Promise((resolve) => compiler.once('close', resolve));
      started.delete(compiler);
      expect({ code, said }).toEqual({ code: 0, said: '' });
      fs.mkdirSync(path.join(out, 'node_modules'));
      fs.symlinkSync(ROOT, path.join(out, 'node_modules', 'farm'));
      const { code: exit, lines } = await start(path.join(out, 'main.mjs')).ended;
      expect({ exit, lines }).toEqual({ exit: 0, lines: expected });
    } finally {
      fs.rmSync(out, { recursive: true, force: true });
    }
  });

  const stripsTypes = Boolean(/** @type {any} */ (process.features).typescript);
  (stripsTypes ? test : test.skip)('as it is, where Node strips types', async () => {
    expect((await linesOf('typescript/main.mts')).filter((line) => !/ExperimentalWarning|--trace-warnings/.test(line))).toEqual(expected);
  });
});
