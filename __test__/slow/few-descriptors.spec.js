'use strict';

// Descriptors are few, or those with the numbers of the standard streams are free.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { folder, program } = require('../fixtures/life/processes');

const printer = require.resolve('../fixtures/calls/print-from-worker');
const root = path.join(__dirname, '..', '..');
const dir = folder();

beforeAll(() => {
  const code = `exports.prints = (n) => { console.log('out ' + n); console.error('err ' + n); return n; };`;
  fs.writeFileSync(path.join(dir, 'prints.js'), code);
});

test('a program that has closed its standard streams: what workers print does not come into the memory of its farm', async () => {
  const file = path.join(dir, 'closed');
  const { stdout, stderr } = await program(`
    const fs = require('node:fs');
    for (const fd of [0, 1, 2]) fs.closeSync(fd);
    const farm = new WorkerFarm(${JSON.stringify(path.join(dir, 'prints.js'))}, { max: 2, stdout: 'inherit', stderr: 'inherit' });
    const calls = Array.from({ length: 20 }, (_, n) => farm.run('prints', [n]));
    const lead = (fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return 'nowhere'; } };
    Promise.all(calls).then(String, String).then((text) => {
      fs.writeFileSync(${JSON.stringify(file)}, [text, ...[0, 1, 2].map(lead)].join(' '));
      return farm.close();
    });
  `);
  expect(fs.readFileSync(file, 'utf8')).toBe(`${Array.from({ length: 20 }, (_, n) => n)} nowhere nowhere nowhere`);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});

test('what workers print is passed on when the parent has no descriptor left', async () => {
  const { stdout, stderr, code } = await program(
    `
    const fs = require('node:fs');
    const farm = new WorkerFarm(${JSON.stringify(path.join(dir, 'prints.js'))}, { max: 1, stdout: 'prefix', stderr: 'inherit' });
    farm.run('prints', [1]).then(async () => {
      try { for (;;) fs.openSync('/dev/null'); } catch (error) { fs.writeSync(1, error.code + '\\n'); }
      await farm.run('prints', [2]);
      await farm.close();
    });
    `,
    { node: ['/bin/sh', '-c', 'ulimit -n 200 && exec "$0" "$@"', process.execPath] },
  );
  expect({ code, stdout: stdout.split('\n').sort().join(' ').trim(), stderr }).toEqual({
    code: 0,
    stdout: 'EMFILE [worker 1] out 1 [worker 1] out 2',
    stderr: 'err 1\nerr 2\n',
  });
});

test('a user who may have few descriptors on their way starts many workers at the same time', () => {
  const user = { uid: 65534, gid: 65534 };
  if (process.getuid?.() !== 0 || spawnSync(process.execPath, ['-e', `require(${JSON.stringify(printer)})`], { ...user, cwd: '/' }).status !== 0) {
    console.log('not checked: nobody else can be made to read this folder');
    return;
  }
  const source = `
    const { WorkerFarm } = require(${JSON.stringify(root)});
    const farm = new WorkerFarm(${JSON.stringify(require.resolve('../fixtures/life/worker'))}, { min: 16, max: 16 });
    farm.ready().then(() => console.log(farm.stats().workers.length), (error) => console.log(error.message)).then(() => farm.close());
  `;
  // A hello to one of sixteen carries 40.
  const args = ['-c', 'ulimit -n 200 && exec "$0" "$@"', process.execPath, '-e', source];
  const { stdout, stderr } = spawnSync('/bin/sh', args, { ...user, cwd: '/', encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '16\n', stderr: '' });
});

test('a worker that may not have as many descriptors as its farm needs says so at once', async () => {
  const { WorkerFarm } = require('../..');
  const few = path.join(dir, 'few');
  fs.writeFileSync(few, `#!/bin/sh\nulimit -n 64\nexec ${JSON.stringify(process.execPath)} "$@"\n`, { mode: 0o755 });
  const farm = new WorkerFarm(require.resolve('../fixtures/life/worker'), { max: 40, execPath: few });
  try {
    const error = await farm.run('add', [1, 2]).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_FARM_START', reason: 'handshake' });
    expect(error.message).toMatch(/it may not have the \d+ descriptors open that go with a farm of this size \(RLIMIT_NOFILE\)/);
  } finally {
    await farm.destroy();
  }
});
