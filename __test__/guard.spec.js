'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { WorkerFarm } = require('..');
const { folder, gone, program, running, stateOf, until } = require('./fixtures/life/processes');
const { ask, cleared, guardOf, guardsOf, stat } = require('./fixtures/guard/family');

const worker = require.resolve('./fixtures/guard/worker');
const dir = folder();
/** @type {number[]} */
const started = [];
afterAll(() => cleared(started));

const remember = (pids) => {
  started.push(...pids);
  return pids;
};

/** A program whose worker has started a process; it says its pids and stays. */
async function family(options, { env = process.env, extra = '' } = {}) {
  const source = `
    const farm = new WorkerFarm(${JSON.stringify(worker)}, ${JSON.stringify({ max: 1, ...options })}).ref();
    ${extra}
    farm.run('start').then((pids) => say(...pids));
  `;
  const { child, line } = running(source, env);
  const pids = remember((await line()).split(' ').map(Number));
  return { child, pids };
}

describe('when the parent is killed', () => {
  test.each([
    ['', {}],
    ['; no pidfd', { FARM_FORCE_NO_PIDFD: '1' }],
  ])('what its worker has started ends too%s', async (_, env) => {
    const { child, pids } = await family({}, { env: { ...process.env, ...env } });
    const guard = await guardOf(child.pid);
    child.kill('SIGKILL');
    await gone(...pids, guard);
  });

  test('also stopped processes', async () => {
    const { child, pids } = await family({});
    const guard = await guardOf(child.pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await until(() => pids.every((pid) => stateOf(pid) === 'T'));
    child.kill('SIGKILL');
    await gone(...pids, guard);
  });

  test('also with a guard that took the place of another', async () => {
    const { child, pids } = await family({});
    const first = await guardOf(child.pid);
    process.kill(first, 'SIGKILL');
    const second = await guardOf(child.pid, first);
    expect(stateOf(first)).toBeUndefined();
    child.kill('SIGKILL');
    await gone(...pids, second);
  });

  test('killTree: false leaves it, and starts no guard', async () => {
    const { child, pids } = await family({ killTree: false });
    const [own, other] = pids;
    expect(guardsOf(child.pid)).toEqual([]);
    child.kill('SIGKILL');
    await gone(own);
    expect(stateOf(other)).toBeDefined();
  });

  test('fork scripts are workers like others', async () => {
    const script = path.join(dir, 'script.js');
    fs.writeFileSync(script, `process.on('message', () => process.send([process.pid, require('node:child_process').spawn('sleep', ['100000']).pid]));`);
    const { child, line } = running(`
      const farm = new WorkerFarm({ fork: ${JSON.stringify(script)} }, { max: 1 }).ref();
      farm.service.request(1).then((pids) => say(...pids));
    `);
    const pids = remember((await line()).split(' ').map(Number));
    const guard = await guardOf(child.pid);
    child.kill('SIGKILL');
    await gone(...pids, guard);
  });
});

describe('when a worker ends', () => {
  test.each([true, false])('what it has started ends with killTree: %s', async (killTree) => {
    const farm = new WorkerFarm(worker, { max: 1, killTree });
    const file = path.join(dir, `pid-${killTree}`);
    await expect(farm.run('startAndExit', [file])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT' });
    const pid = Number(fs.readFileSync(file, 'utf8'));
    remember([pid]);
    if (killTree) await gone(pid);
    await farm.close();
    expect(stateOf(pid) === undefined).toBe(killTree);
  });
});

describe('the guard', () => {
  test('is one for all farms, comes with the first worker, and goes with the last farm', async () => {
    const unused = new WorkerFarm(worker, { max: 1 });
    expect(guardsOf(process.pid)).toEqual([]);
    const [one, two] = [0, 1].map(() => new WorkerFarm(worker, { max: 2 }));
    await Promise.all([one, two].map((farm) => farm.run('add', [1, 2])));
    const guard = await guardOf(process.pid);
    await one.close();
    await unused.close();
    await two.run('add', [1, 2]);
    expect(guardsOf(process.pid)).toEqual([guard]);
    await two.close();
    await until(() => stat(guard)[0] === '');
    // And comes again.
    const later = new WorkerFarm(worker, { max: 1 });
    await later.run('add', [1, 2]);
    const second = await guardOf(process.pid, guard);
    await later.destroy();
    await until(() => stat(second)[0] === '');
  });

  test('is out of the way: own session, root directory, no descriptor or variable of anybody, deaf to signals', async () => {
    const farm = new WorkerFarm(worker, { max: 1 });
    await farm.run('add', [1, 2]);
    const guard = await guardOf(process.pid);
    await until(() => ask(guard, 'comm') === 'farm-guard\n');
    expect(ask(guard, 'cmdline').split('\0')).toEqual([`farm-guard: ${process.pid}`, '']);
    expect(ask(guard, 'environ')).toBe('');
    expect(fs.readlinkSync(`/proc/${guard}/cwd`)).toBe('/');
    expect(stat(guard).slice(1, 4).map(Number)).toEqual([process.pid, guard, guard]);
    // The last of them tells it of the parent's end; without pidfd it looks.
    const descriptors = process.env.FARM_FORCE_NO_PIDFD === '1' ? 5 : 6;
    await until(() => fs.readdirSync(`/proc/${guard}/fd`).length === descriptors);
    const held = fs.readdirSync(`/proc/${guard}/fd`).map((fd) => fs.readlinkSync(`/proc/${guard}/fd/${fd}`));
    expect(held.slice(0, 3)).toEqual(['/dev/null', '/dev/null', '/dev/null']);
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR1', 'SIGTSTP']) process.kill(guard, signal);
    await farm.run('add', [1, 2]);
    expect(guardsOf(process.pid)).toEqual([guard]);
    await farm.close();
  });

  test('that is not there is named, with what to do', () => {
    let error;
    jest.isolateModules(() => {
      const fresh = require('../lib/guard-program');
      try {
        fresh.guardProgram(path.join(dir, 'farm.linux-x64-gnu.node'));
      } catch (thrown) {
        error = thrown;
      }
    });
    const file = path.join(dir, 'farm-guard.linux-x64-gnu');
    expect(error).toMatchObject({ code: 'ERR_FARM_START', reason: 'resolve', file });
    expect(error.message).toBe(`The guard program ${file} is not there. Build it with \`npm run build\` in ${path.dirname(__dirname)}; or do without it: killTree: false`);
  });

  test.each([
    ['cannot be started', path.join(dir, 'nowhere'), /nowhere could not be started: /],
    ['ends at once', '/bin/false', /\/bin\/false ended \d+ times in a row as soon as it was started/],
  ])('that %s is told of once, and tasks go on', async (_, guard, text) => {
    const other = path.join(dir, 'other-guard.js');
    fs.writeFileSync(other, `require(${JSON.stringify(require.resolve('../lib/worker/entry'))}).loaderOf('farm')('guard-program').guardProgram = () => ${JSON.stringify(guard)};`);
    const { code, stdout, stderr } = await program(
      `
      const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
      process.on('warning', async ({ name, code, message }) => {
        say(JSON.stringify({ name, code, message }));
        // A worker's start is another attempt.
        await farm.run('startAndExit', [${JSON.stringify(path.join(dir, 'pid'))}]).catch((error) => say(error.code));
        say(await farm.run('add', [2, 3]));
        await farm.close();
      });
      farm.ref().run('add', [1, 2]).then(say);
      `,
      { args: ['--no-warnings', '--require', other] },
    );
    await gone(...remember([Number(fs.readFileSync(path.join(dir, 'pid'), 'utf8'))]));
    const lines = stdout.trim().split('\n');
    const warning = JSON.parse(lines.find((line) => line.startsWith('{')));
    expect(warning).toEqual({ name: 'FarmWarning', code: 'FARM_UNGUARDED', message: expect.stringMatching(text) });
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual(['3', 'ERR_FARM_WORKER_EXIT', '5']);
    expect({ code, stderr, warnings: lines.length }).toEqual({ code: 0, stderr: '', warnings: 4 });
  });
});
