'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const DEMO = path.join(__dirname, '..', '..', 'examples', 'demo', 'run.mjs');

/** @type {import('node:child_process').ChildProcess | undefined} */
let child;

afterEach(() => {
  child?.kill('SIGKILL');
});

test('the demo: what it makes parses and works, beside one process, without a terminal', async () => {
  child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FARM_DEMO_MS: '3000' } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += bytes));
  const code = await new Promise((resolve) => child?.once('close', resolve));
  child = undefined;
  expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('each of the outputs parses: yes') });
  expect(text).toContain('ms, picomatch, commander give the same results as before: yes');
  expect(text).toMatch(/^farm: \d+ done, 0 failed in /m);
  expect(text).toMatch(/^farm map: [\d.]+ s; one process: [\d.]+ s, in which V8 had [\d.]+ cores at work; their start included, that is [\d.]+ times as fast(?: \(there is only one CPU to use here\))?$/m);
  expect(text).toMatch(/^ {2}node .*farm\.js map .* --method minify 'src\/\*\*\/\*\.js' --out dist --ext \.min\.js$/m);
});

test('the demo, ended by a signal, leaves nothing', async () => {
  const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-demo-spec-'));
  try {
    child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FARM_DEMO_MS: '60000', TMPDIR: temp } });
    const exit = new Promise((resolve) => child?.once('close', resolve));
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    while (fs.readdirSync(temp).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGTERM');
    expect(await exit).toBe(143);
    child = undefined;
    expect(fs.readdirSync(temp)).toEqual([]);
  } finally {
    fs.rmSync(temp, { recursive: true, force: true });
  }
});
