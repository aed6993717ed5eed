'use strict';

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { cleared } = require('./fixtures/guard/family');
const { folder, gone, root } = require('./fixtures/life/processes');

const dir = folder();
const worker = require.resolve('./fixtures/guard/worker');

test('farm installs no signal handler, natively or in JavaScript, and blocks or ignores no signal', () => {
  const source = `
    const fs = require('node:fs');
    const seen = () => ({
      kernel: fs.readFileSync('/proc/self/status', 'latin1').match(/^Sig(Blk|Ign|Cgt):.*$/gm),
      // Those of the thread that starts processes, and of the others.
      threads: fs.readdirSync('/proc/self/task').every((task) => /SigBlk:\\t0{16}$/m.test(fs.readFileSync('/proc/self/task/' + task + '/status', 'latin1'))),
      listeners: process.eventNames().filter((name) => !/^(newListener|removeListener)$/.test(String(name))).map(String).sort(),
    });
    const before = seen();
    const { WorkerFarm } = require(${JSON.stringify(root)});
    const loaded = seen();
    const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 2 });
    const made = seen();
    farm.run('add', [1, 2]).then(async () => {
      const used = seen();
      await farm.close();
      console.log(JSON.stringify([before, loaded, made, used, seen()]));
    });
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', source], { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  const [before, ...after] = JSON.parse(stdout);
  expect(before.kernel).toHaveLength(3);
  for (const each of after) expect(each).toEqual(before);
});

describe('Ctrl-C in a terminal', () => {
  const hasScript = spawnSync('script', ['--version']).status === 0;
  if (!hasScript) console.log('skipped: there is no program `script` (util-linux) to make a terminal with');
  const testHere = hasScript ? test : test.skip;
  const pids = [];
  afterAll(() => cleared(pids));

  testHere('reaches the parent only: its handler lets the tasks finish and closes', async () => {
    const go = path.join(dir, 'go');
    const file = path.join(dir, 'parent.js');
    const life = require.resolve('./fixtures/life/worker');
    fs.writeFileSync(
      file,
      `
      const fs = require('node:fs');
      const { WorkerFarm } = require(${JSON.stringify(root)});
      const family = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
      const farm = new WorkerFarm(${JSON.stringify(life)}, { max: 1 });
      process.once('SIGINT', async () => {
        fs.writeFileSync(${JSON.stringify(go)}, '');
        console.log('interrupted');
        await farm.close();
        // What the worker has started is there still, and no worker had to be started anew.
        console.log('alive ' + JSON.stringify([await family.run('pid'), process.kill(started, 0)]));
        await family.close();
        console.log('closed');
      });
      let started;
      family.run('start').then((pids) => {
        started = pids[1];
        console.log('pids ' + JSON.stringify(pids));
        farm.run('untilFile', [${JSON.stringify(go)}], { onProgress: () => console.log('began') }).then((pid) => console.log('done'));
      });
      `,
    );
    // The shell makes way: one that waits (dash does) is ended by the Ctrl-C itself.
    const command = `exec '${process.execPath}' '${file}'`;
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, SHELL: '/bin/sh' } });
    const ended = new Promise((resolve) => terminal.once('exit', (code) => resolve(code)));
    const lines = [];
    let started;
    for await (const raw of createInterface({ input: terminal.stdout })) {
      const line = raw.trim().replace(/^\^C/, '');
      lines.push(line.split(' ')[0]);
      if (line.startsWith('pids')) {
        started = JSON.parse(line.slice(5));
        pids.push(...started);
      }
      if (line.startsWith('alive')) expect(JSON.parse(line.slice(6))).toEqual([started[0], true]);
      if (line === 'began') terminal.stdin.write('\x03');
    }
    expect(await ended).toBe(0);
    expect(lines.filter((line) => line !== '')).toEqual(['pids', 'began', 'interrupted', 'done', 'alive', 'closed']);
    await gone(...started);
  });
});
