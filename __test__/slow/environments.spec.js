'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const { WorkerFarm } = require('../..');
const { folder, gone, root, stateOf, worker } = require('../fixtures/life/processes');

const nested = path.join(__dirname, '..', 'fixtures', 'life', 'nested.js');
const thread = path.join(__dirname, '..', 'fixtures', 'life', 'thread.js');

describe('several farms in one process', () => {
  test('do not disturb each other', async () => {
    const farms = Array.from({ length: 5 }, () => new WorkerFarm(worker, { max: 1, stderr: 'ignore' }));
    const pids = await Promise.all(farms.map((farm) => farm.run('pid')));
    expect(new Set(pids).size).toBe(5);
    await Promise.all([
      farms[0].destroy(),
      expect(farms[1].run('exit', [1])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' }),
      farms[2].close(),
      ...Array.from({ length: 100 }, async (_, n) => expect(await farms[3].run('echo', [n])).toBe(n)),
    ]);
    expect(await farms[3].run('pid')).toBe(pids[3]);
    expect(await farms[4].run('pid')).toBe(pids[4]);
    expect(await farms[1].run('add', [1, 2])).toBe(3);
    await Promise.all(farms.map((farm) => farm.destroy()));
    await gone(...pids);
  });

  test('two of the same module share nothing', async () => {
    const farms = [new WorkerFarm(worker, { max: 1 }), new WorkerFarm(worker, { max: 1 })];
    expect(await Promise.all(farms.map((farm) => farm.run('next')))).toEqual([0, 0]);
    await Promise.all(farms.map((farm) => farm.close()));
  });
});

describe('farms in worker_threads', () => {
  test('a thread that ends takes its workers along and no others', async () => {
    const mine = new WorkerFarm(worker, { max: 1 });
    const pid = await mine.run('pid');
    const running = new Worker(thread, { workerData: { worker, method: 'spin' } });
    const [theirs] = await once(running, 'message');
    await running.terminate();
    await gone(theirs);
    expect(await mine.run('pid')).toBe(pid);
    await mine.close();
  });

  test('a thread with an idle farm ends by itself', async () => {
    const running = new Worker(thread, { workerData: { worker, method: 'pid' } });
    const [[pid], [code]] = await Promise.all([once(running, 'message'), once(running, 'exit')]);
    expect(code).toBe(0);
    await gone(pid);
  });

  test('a thread that closes its farm ends', async () => {
    const running = new Worker(thread, { workerData: { worker, method: 'pid', close: true } });
    const [, [code]] = await Promise.all([once(running, 'message'), once(running, 'exit')]);
    expect(code).toBe(0);
  });

  test('terminate() in the middle of tasks, 20 times', async () => {
    const pids = [];
    for (let n = 0; n < 20; n++) {
      const running = new Worker(thread, { workerData: { worker, method: ['flood', 'hang', 'spin', 'spawn'][n % 4] } });
      const [pid] = await once(running, 'message');
      pids.push(pid);
      if (n % 3 !== 0) await new Promise((resolve) => setTimeout(resolve, n % 7));
      await running.terminate();
    }
    await gone(...pids);
    const farm = new WorkerFarm(worker, { max: 1 });
    expect(await farm.run('add', [1, 2])).toBe(3);
    await farm.close();
  });

  test('process.exit() in a thread', async () => {
    const running = new Worker(thread, { workerData: { worker, method: 'spin', exit: 5 } });
    const [[pid], [code]] = await Promise.all([once(running, 'message'), once(running, 'exit')]);
    expect(code).toBe(5);
    await gone(pid);
  });
});

describe('a farm inside a worker', () => {
  test('works, and ends with its worker', async () => {
    const farm = new WorkerFarm(nested, { max: 1 });
    expect(await farm.run('add', [1, 2])).toBe(3);
    const inner = await farm.run('innerPid');
    expect(stateOf(inner)).toBeDefined();
    await expect(farm.run('exit')).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' });
    await gone(inner);
    expect(await farm.run('add', [3, 4])).toBe(7);
    const second = await farm.run('innerPid');
    await farm.close();
    await gone(second);
  });
});

describe('modules that are loaded again', () => {
  test('after jest.resetModules() both copies work', async () => {
    const first = new WorkerFarm(worker, { max: 1 });
    jest.resetModules();
    const again = require('../..');
    expect(again.WorkerFarm).not.toBe(WorkerFarm);
    const second = new again.WorkerFarm(worker, { max: 1 });
    const pids = await Promise.all([first.run('pid'), second.run('pid')]);
    expect(pids[0]).not.toBe(pids[1]);
    await expect(second.run('exit', [1])).rejects.toBeInstanceOf(again.FarmError);
    await Promise.all([first.close(), second.close()]);
  });

  test('errors are those of this realm', async () => {
    const farm = new WorkerFarm(worker, { max: 1 });
    const error = await farm.run('noSuchMethod').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(Error);
    await farm.close();
  });
});

describe('at the prompt', () => {
  /** @param {string[]} args of node @param {string} lines typed in @param {RegExp} last then the end of the input */
  const typed = (args, lines, last) =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) => resolve({ code: child.exitCode, text: stdout + stderr }));
      let seen = '';
      child.stdout?.on('data', (text) => last.test((seen += text)) && child.stdin?.end());
      child.stdin?.write(lines);
    });

  // Node.js has the modules as globals there, `domain` among them, and a domain of its own.
  const call = `require('.').createService(${JSON.stringify(worker)}, { max: 1 }).add(20, 22)`;

  test('of node -i a call is answered', async () => {
    const { code, text } = await typed(['-i'], `${call}.then((sum) => console.log('sum', sum))\n`, /sum 42/);
    expect(text).toContain('sum 42');
    expect({ code, text }).toMatchObject({ code: 0 });
  });

  test('and under --eval within a domain', async () => {
    const { code, text } = await typed(['-e', `domain.create().run(() => ${call}.then((sum) => console.log('sum', sum)))`], '', /sum 42/);
    expect({ code, text }).toEqual({ code: 0, text: 'sum 42\n' });
  });
});

describe('a project with Jest', () => {
  const project = folder();
  const jestBin = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');

  beforeAll(() => {
    fs.mkdirSync(path.join(project, 'node_modules'));
    fs.symlinkSync(root, path.join(project, 'node_modules', 'farm'));
    fs.writeFileSync(path.join(project, 'package.json'), '{}');
    fs.writeFileSync(path.join(project, 'sums.js'), 'exports.add = (a, b) => a + b;\n');
    fs.writeFileSync(
      path.join(project, 'sums.test.js'),
      `const { createService } = require('farm');
const sums = createService('./sums.js');
test('adds', async () => {
  expect(await sums.add(1, 2)).toBe(3);
});
test('is an object like others', () => {
  expect(sums).toEqual(sums);
});
`,
    );
  });

  test.each([[[]], [['--detectOpenHandles']], [['--runInBand']], [['--workerThreads', '--maxWorkers=2']]])('passes with %j, says nothing and ends', async (args) => {
    const { code, stderr } = await new Promise((resolve) => {
      const child = execFile(process.execPath, [jestBin, '--rootDir', project, ...args], { cwd: project }, (error, stdout, text) => resolve({ code: child.exitCode, stderr: text }));
    });
    expect(stderr).toContain('Tests:       2 passed, 2 total');
    expect(stderr).not.toMatch(/open handle|did not exit|failed to exit|leak/i);
    expect(code).toBe(0);
  });
});
