'use strict';

// A short form of `npm run soak`, and that it would notice.

const { execFile } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

test('some seconds of load, crashes, timeouts and farms that come and go: what the process holds stays flat', async () => {
  const { status, stdout, stderr } = await new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'scripts', 'soak.mjs'), '--seconds', '15'], { cwd: root }, (error, out, err) => {
      resolve({ status: error ? error.code : 0, stdout: out, stderr: err });
    });
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(stdout).toMatch(/^soak: \d+ samples, \d+ calls, flat$/m);
}, 120_000);

test('what grows is told, what comes and goes is not', async () => {
  const program = `
    import { findings } from ${JSON.stringify(path.join(root, 'scripts', 'soak', 'flatness.mjs'))};
    const rows = (grow) => Array.from({ length: 30 }, (_, n) => ({ seconds: 10 * n, callsPerSecond: 5, mib: 20 + (n % 3), heap: 8 + (n % 5), descriptors: 30 + (n % 9), threads: 14, segments: 7, ...grow(n) }));
    console.log(JSON.stringify([rows(() => ({})), rows((n) => ({ descriptors: 30 + 3 * n })), rows((n) => ({ mib: 20 + 9 * n })), rows((n) => ({ heap: 8 + 2 * n })), rows((n) => (n === 20 ? { callsPerSecond: 0 } : {}))].map(findings)));`;
  const stdout = await new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', program], (error, out) => (error ? reject(error) : resolve(out)));
  });
  const [flat, descriptors, memory, heap, still] = JSON.parse(stdout);
  expect(flat).toEqual([]);
  expect(descriptors).toEqual([expect.stringMatching(/^descriptors went from \d+ to \d+$/)]);
  expect(memory).toEqual([expect.stringMatching(/^mib went from /)]);
  expect(heap).toEqual([expect.stringMatching(/^heap went from /)]);
  expect(still).toEqual(['there was no call for 10 s']);
});
