'use strict';

// A short form of `npm run orphans`.

const { execFile } = require('node:child_process');
const path = require('node:path');
const { root } = require('../fixtures/life/processes');

test('parents that end in every state and in every way leave nobody behind', async () => {
  const args = [path.join(root, 'scripts', 'orphans.mjs'), '--parents', '24', '--others', '2'];
  const { status, stdout, stderr } = await new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, out, err) => resolve({ status: error?.code ?? 0, stdout: out, stderr: err }));
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^orphans: \d+ parents ended, 0 processes survived/m);
}, 300_000);
