'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { WorkerFarm } = require('../..');
const { folder, stateOf } = require('../fixtures/life/processes');

const file = path.join(__dirname, '..', 'fixtures', 'life', 'replaced.js');
const dir = folder();
// Linux 5.9 has what it takes: close_range.
const [major, minor] = os.release().split('.').map(Number);
const hasPulse = major > 5 || (major === 5 && minor >= 9);
let farm;
let exits;
let spawns;

function open(options) {
  farm = new WorkerFarm(file, options);
  exits = [];
  spawns = [];
  farm.on('exit', (exit) => exits.push(exit));
  farm.on('spawn', (worker) => spawns.push(worker.pid));
  return farm;
}

/** As many workers as these are online, spares included. */
async function allOnline(count) {
  const online = () => farm.stats().workers.filter((worker) => worker.state === 'online').length;
  while (online() < count) await once(farm, 'online');
}

async function exitsAre(count) {
  while (exits.length < count) await once(farm, 'exit');
}

/** Calls until told to stop; every answer is checked. */
function load() {
  let over = false;
  let count = 0;
  const chain = async (start) => {
    for (let n = start; !over; n += 8) {
      expect(await farm.run('double', [n])).toBe(2 * n);
      count++;
    }
  };
  const chains = Promise.all(Array.from({ length: 8 }, (_, start) => chain(start)));
  return async () => {
    over = true;
    await chains;
    return count;
  };
}

afterEach(() => farm.destroy());

describe('recycle', () => {
  test('by tasks: its successor is online before it leaves, and nothing is lost', async () => {
    open({ max: 2, recycle: { tasks: 50 } });
    const order = [];
    farm.on('online', ({ pid }) => order.push(['online', pid]));
    farm.on('exit', ({ pid }) => order.push(['exit', pid]));
    const stop = load();
    await exitsAre(6);
    expect(await stop()).toBeGreaterThan(6 * 45);
    for (const exit of exits) expect(exit).toMatchObject({ planned: true, retiredFor: 'recycle', exitCode: 0, killedFor: null });
    // From the first replacement on two or more are always there.
    let both = false;
    let there = 0;
    for (const [what] of order) {
      there += what === 'online' ? 1 : -1;
      if (there > 2) both = true;
      if (both) expect(there).toBeGreaterThanOrEqual(2);
    }
    expect(both).toBe(true);
  });

  test('by age, also when there is nothing to do', async () => {
    open({ min: 1, max: 1, recycle: { age: 200 } });
    await exitsAre(2);
    for (const exit of exits) {
      expect(exit).toMatchObject({ retiredFor: 'recycle' });
      expect(exit.age).toBeGreaterThanOrEqual(175);
    }
  });

  test('by memory: the one that keeps too much goes, another answers', async () => {
    open({ max: 1, recycle: { memory: 150 << 20 } });
    const leaking = await farm.run('leak', [200]);
    const stop = load();
    await exitsAre(1);
    expect(exits[0]).toMatchObject({ pid: leaking, retiredFor: 'recycle' });
    await stop();
    expect(await farm.run('pid')).not.toBe(leaking);
  });
});

describe('spares', () => {
  test('one takes over after a SIGKILL without a start in between', async () => {
    open({ max: 1, spares: 1 });
    const first = await farm.run('pid');
    await allOnline(2);
    const [, spare] = spawns;
    expect(farm.stats().workers.map((worker) => [worker.pid, worker.spare])).toEqual([[first, false], [spare, true]]);
    process.kill(first, 'SIGKILL');
    await exitsAre(1);
    expect(await farm.run('pid')).toBe(spare);
    await allOnline(2);
    expect(spawns).toHaveLength(3);
  });

  // The system tells of an exit when it has taken the memory apart; by then the process is reaped at once.
  (hasPulse ? test : test.skip)('one takes over when the process begins to end', async () => {
    open({ max: 1, spares: 1 });
    let tookOverFirst = false;
    // That the answer is quicker than the system is not certain on a busy machine; without the pulse it never is.
    for (let round = 1; round <= 10 && !tookOverFirst; round++) {
      const victim = await farm.run('leak', [200]);
      await allOnline(2);
      process.kill(victim, 'SIGKILL');
      expect(await farm.run('pid')).not.toBe(victim);
      tookOverFirst = fs.existsSync(`/proc/${victim}`);
      await exitsAre(round);
      expect(exits[round - 1]).toMatchObject({ pid: victim, signal: 'SIGKILL', verdict: 'killed', killedFor: null });
    }
    expect(tookOverFirst).toBe(true);
  });

  (hasPulse ? test : test.skip)('the exit code of a worker whose pulse has stopped stays its own', async () => {
    open({ max: 1, spares: 1 });
    await farm.run('leak', [200]);
    await allOnline(2);
    await expect(farm.run('leave', [7])).rejects.toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 7, signal: null });
  });

  test('never more than max tasks run at a time', async () => {
    open({ max: 1, spares: 2 });
    await farm.run('pid');
    await allOnline(3);
    const pids = await Promise.all(Array.from({ length: 6 }, () => farm.run('sleep', [5])));
    expect(new Set(pids).size).toBe(1);
  });

  test('one takes over from a worker that is killed for its timeout', async () => {
    open({ max: 1, spares: 1 });
    await farm.run('pid');
    await allOnline(2);
    const [, spare] = spawns;
    await expect(farm.run('forever', [], { timeout: 50 })).rejects.toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
    expect(await farm.run('pid')).toBe(spare);
  });

  test('an idle farm keeps none', async () => {
    open({ max: 1, spares: 1, idleTimeout: 50 });
    await farm.run('pid');
    await exitsAre(2);
    expect(exits.map((exit) => exit.retiredFor).sort()).toEqual(['idle', 'spare']);
  });

  test('a fork-style script', async () => {
    const script = path.join(__dirname, '..', 'fixtures', 'fork', 'answers.js');
    farm = new WorkerFarm({ fork: script }, { max: 1, spares: 1 });
    spawns = [];
    farm.on('spawn', ({ pid }) => spawns.push(pid));
    await farm.service.request('one');
    await allOnline(2);
    process.kill(spawns[0], 'SIGKILL');
    await once(farm, 'exit');
    await farm.service.request('two');
    await allOnline(2);
    expect(spawns).toHaveLength(3);
  });
});

describe('reload()', () => {
  const version = path.join(dir, 'version');
  const env = { ...process.env, VERSION_FILE: version };

  test('loads the module anew without the loss of a call', async () => {
    fs.writeFileSync(version, 'one');
    open({ max: 2, env });
    expect(await farm.run('version')).toBe('one');
    const stop = load();
    fs.writeFileSync(version, 'two');
    await farm.reload();
    expect(await farm.run('version')).toBe('two');
    await stop();
    for (const exit of exits) expect(exit).toMatchObject({ planned: true, retiredFor: 'reload' });
  });

  test('asked for when the one before is over but has not been told yet: waits for its own', async () => {
    open({ max: 1 });
    const first = await farm.run('pid');
    const told = farm.reload();
    // This loop hears nothing meanwhile, so that the answer is on its way when the next reload is asked for.
    const look = new Int32Array(new SharedArrayBuffer(4));
    while (stateOf(first) !== undefined) Atomics.wait(look, 0, 0, 5);
    Atomics.wait(look, 0, 0, 50);
    const next = farm.reload();
    await told;
    await next;
    expect(spawns).toHaveLength(3);
    expect(farm.stats().workers.map((worker) => worker.pid)).toEqual([spawns[2]]);
  });

  test('without workers it is done at once', async () => {
    open({ max: 2 });
    await farm.reload();
    expect(spawns).toEqual([]);
  });

  test('new code that does not load: rejects with its error, the old workers go on', async () => {
    fs.writeFileSync(version, 'one');
    open({ max: 2, env });
    const pid = await farm.run('pid');
    fs.writeFileSync(version, 'broken');
    farm.on('workerError', () => {});
    await expect(farm.reload()).rejects.toMatchObject({ code: 'ERR_FARM_START', cause: { message: 'a broken version' } });
    expect(await farm.run('version')).toBe('one');
    expect(farm.stats().workers.map((worker) => worker.pid)).toContain(pid);
    fs.writeFileSync(version, 'three');
    await farm.reload();
    expect(await farm.run('version')).toBe('three');
  });

  test('of a closed farm rejects', async () => {
    open({});
    await farm.close();
    await expect(farm.reload()).rejects.toMatchObject({ code: 'ERR_FARM_CLOSED' });
    expect(() => farm.resize({ max: 2 })).toThrow(expect.objectContaining({ code: 'ERR_FARM_CLOSED' }));
  });
});

describe('resize()', () => {
  /** Pids that answer when as many tasks as these wait at the same time. */
  const busy = async (tasks) => new Set(await Promise.all(Array.from({ length: tasks }, () => farm.run('sleep', [300]))));

  test('up, far beyond what there was room for, and down again', async () => {
    open({ max: 1 });
    await farm.run('pid');
    farm.resize({ max: 6, min: 6 });
    await allOnline(6);
    expect((await busy(6)).size).toBe(6);
    const stop = load();
    farm.resize({ max: 2, min: 1 });
    await exitsAre(4);
    await stop();
    for (const exit of exits) expect(exit).toMatchObject({ planned: true, retiredFor: 'resize' });
    expect((await busy(4)).size).toBeLessThanOrEqual(2);
    expect(farm.options).toMatchObject({ max: 2, min: 1 });
  });

  test('again and again under load nothing is lost', async () => {
    open({ max: 2 });
    const stop = load();
    for (const max of [5, 1, 4, 8, 2, 1, 3]) {
      farm.resize({ max });
      await farm.run('sleep', [20]);
    }
    expect(await stop()).toBeGreaterThan(0);
  });

  test.each([[{ max: 0 }], [{ max: 2, min: 3 }], [{ maxx: 3 }], [7]])('%j is refused', (size) => {
    open({ max: 2 });
    expect(() => farm.resize(size)).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION' }));
  });

  test('more workers than limits.files has room for are refused', () => {
    open({ max: 1, limits: { files: 60 } });
    farm.resize({ max: 4 });
    expect(() => farm.resize({ max: 20 })).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION', option: 'limits.files', value: 60 }));
    expect(farm.options.max).toBe(4);
  });
});
