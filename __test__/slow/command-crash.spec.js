'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');

/** @type {import('node:child_process').ChildProcess | undefined} */
let child;

afterEach(() => {
  child?.kill('SIGKILL');
});

test('farm map, killed at random moments and resumed, writes what an undisturbed run writes', async () => {
  child = spawn(process.execPath, [path.join(__dirname, '..', '..', 'scripts', 'map-crash.mjs'), '--times', '5'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += bytes));
  const code = await new Promise((resolve) => child?.once('close', resolve));
  child = undefined;
  expect({ code, text }).toMatchObject({ code: 0, text: expect.stringMatching(/^5 of 5: [1-9]\d* kills, outputs equal/m) });
}, 180_000);
