'use strict';

const { spawn } = require('node:child_process');
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
  expect(text).toMatch(/^farm map: [\d.]+ s; one process: [\d.]+ s; their start included, that is [\d.]+ times as fast(?: \(there is only one CPU to use here\))?$/m);
  expect(text).toMatch(/^ {2}node .*farm\.js map .* --method minify 'src\/\*\*\/\*\.js' --out dist --ext \.min\.js$/m);
});
