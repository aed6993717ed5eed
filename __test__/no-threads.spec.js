'use strict';

// The system does not always give a thread: each farm that is made without its supervisor says so, not only the first, and a
// worker goes without.

const { spawnSync } = require('node:child_process');
const { gone, program, running } = require('./fixtures/life/processes');

test('a farm whose threads cannot be had is refused, however often it is tried', async () => {
  const { stdout, stderr } = await program(
    `
    for (let n = 0; n < 3; n++) {
      try {
        new WorkerFarm(worker, { max: 1 });
        say('made');
      } catch (error) {
        say(error.code, /could not be opened: thread: /.test(error.message));
      }
    }
    process.exit();
    `,
    // More for the stack of a thread than there are addresses.
    { env: { ...process.env, RUST_MIN_STACK: String(2 ** 50) } },
  );
  expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({ lines: Array(3).fill('ERR_FARM_START true'), stderr: '' });
});

test('a worker that gets no thread of its own works, and ends with its parent', async () => {
  const user = { uid: 65534, gid: 65534 };
  const module = require.resolve('./fixtures/life/no-more-threads');
  const root = process.getuid?.() === 0;
  const own = root ? user : {};
  if (spawnSync(process.execPath, ['-e', `require(${JSON.stringify(module)})`], { ...own, cwd: '/' }).status !== 0) {
    console.log('not checked: there is no program `prlimit` (util-linux), or nobody else can be made to read this folder');
    return;
  }
  const { child, line } = running(`
    ${root ? `process.setgid(${user.gid}); process.setuid(${user.uid});` : ''}
    for (const spares of [0, 1]) {
      const farm = new WorkerFarm(${JSON.stringify(module)}, { max: 1, spares, stderr: 'ignore' }).ref();
      farm.once('exit', ({ exitCode }) => say('a worker ended with', exitCode));
      Promise.all([farm.run('pid'), farm.run('add', [1, 2])]).then((results) => say(...results));
    }
  `);
  const pids = [];
  for (let n = 0; n < 2; n++) {
    const words = await line();
    expect(words).toMatch(/^\d+ 3$/);
    pids.push(Number.parseInt(words, 10));
  }
  child.kill('SIGKILL');
  await gone(child.pid, ...pids);
});
