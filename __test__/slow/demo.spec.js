'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');

const DEMO = path.join(__dirname, '..', '..', 'examples', 'demo', 'run.mjs');

/** @type {import('node:child_process').ChildProcess | undefined} */
let child;

afterEach(() => {
  child?.kill('SIGKILL');
});

test('the demo computes the same with a farm and without, and shows both loop delays', async () => {
  child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += bytes));
  const code = await new Promise((resolve) => child?.once('close', resolve));
  child = undefined;
  expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('results equal: yes') });
  for (const name of ['farm', 'this process alone']) expect(text).toMatch(new RegExp(`^${name}: .* worst loop delay [\\d.]+ ms$`, 'm'));
  expect(text).toMatch(/^ +\d+ of \d+ files, [\d.]+ MB after [\d.]+ s/m);
});
