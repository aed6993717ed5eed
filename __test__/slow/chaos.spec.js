'use strict';

// A short form of `npm run chaos`, with another seed each time: what fails is repeated by the command that it prints.

const { execFile } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

/** @param {string[]} args */
function chaos(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'scripts', 'chaos.mjs'), ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

test('a few rounds of chaos: each call settles as it must, and nothing is left', async () => {
  const { status, stdout, stderr } = await chaos('--seconds', '20');
  // The seed stands in front of what was wrong.
  expect({ seed: stdout.split('\n')[0], stderr, status }).toEqual({ seed: expect.stringMatching(/^chaos: seed \d+$/), stderr: '', status: 0 });
  expect(stdout).toMatch(/^chaos: \d+ rounds, \d+ calls: .*\d+ result/m);
}, 300_000);
