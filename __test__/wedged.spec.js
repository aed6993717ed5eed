'use strict';

const { once } = require('node:events');
const { WorkerFarm } = require('..');
const { join } = require('node:path');
const processes = require('./fixtures/life/processes');

const { gone, stateOf, task, until } = processes;
const folder = processes.folder();

const wedged = join(__dirname, 'fixtures', 'life', 'wedged.js');

/** @type {any} */
let farm;
const make = (options) => {
  farm = new WorkerFarm(wedged, { max: 1, stderr: 'pipe', ...options });
  return farm;
};
const failed = (promise) => promise.then((value) => Promise.reject(new Error(`it came to ${value}`)), (error) => error);
const activity = () => farm.stats().workers.map((worker) => worker.activity).join();

/** One that is about to be killed for its stop may be gone. */
function goOn(pid) {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    expect(error.code).toBe('ESRCH');
  }
}

afterEach(() => farm.destroy());

describe('a worker that is stopped', () => {
  test('with a task is killed after stoppedTimeout, and the error says so', async () => {
    make({ stoppedTimeout: 200 });
    const { began, ended } = task(farm, 'stop');
    const pid = await began;
    const error = await failed(ended);
    expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, signal: 'SIGKILL', killedFor: 'stopped', started: true });
    expect(error.killedAfter).toBeGreaterThanOrEqual(200);
    expect(error.message).toContain(`had been stopped for ${error.killedAfter} ms (SIGSTOP`);
    expect(await farm.run('pid')).not.toBe(pid);
    await gone(pid);
  });

  test('that goes on in time answers', async () => {
    make();
    const { began, ended } = task(farm, 'stop');
    const pid = await began;
    await until(() => activity() === 'stopped');
    process.kill(pid, 'SIGCONT');
    expect(await ended).toBe('went on');
    expect(await farm.run('pid')).toBe(pid);
    expect(activity()).toBe('idle');
  });

  test('without a task leaves its tasks to the others, and stays', async () => {
    make({ max: 2, min: 2 });
    await farm.ready();
    const [{ pid }, other] = farm.stats().workers;
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    const pids = await Promise.all(Array.from({ length: 20 }, () => farm.run('pid')));
    expect(new Set(pids)).toEqual(new Set([other.pid]));
    expect(stateOf(pid)).toBe('T');
    // It has swallowed the first ring; none was lost.
    expect(farm.stats().rescuedWakeups).toBe(0);
  });

  test('in its start is replaced after stoppedTimeout, its tasks wait, and a reload comes to its end', async () => {
    const env = { ...process.env, FIRST: join(folder, 'first') };
    farm = new WorkerFarm(join(__dirname, 'fixtures', 'life', 'stops-first.js'), { max: 1, stoppedTimeout: 100, env });
    const [exit, call] = [once(farm, 'exit'), farm.run('pid')];
    const [{ pid }] = await once(farm, 'spawn');
    await until(() => stateOf(pid) === 'T');
    await farm.reload();
    expect((await exit)[0]).toMatchObject({ pid, killedFor: 'stopped' });
    expect(await call).not.toBe(pid);
  });

  test('without a task is replaced when it is the only one', async () => {
    make({ stoppedTimeout: 100 });
    const pid = await farm.run('pid');
    const exit = once(farm, 'exit');
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    expect(await farm.run('pid')).not.toBe(pid);
    expect((await exit)[0]).toMatchObject({ pid, killedFor: 'stopped', planned: false });
  });

  test('after it took a task and before it said so loses neither the farm nor the task', async () => {
    make({ stoppedTimeout: 500 });
    const pid = await farm.run('pid');
    const exit = once(farm, 'exit');
    const again = farm.run('stopUnsaid');
    const [record] = await exit;
    expect(record).toMatchObject({ pid, killedFor: 'stopped' });
    // Nobody has seen it start, so it is run again; on a busy machine more than once until somebody lets it go on in time.
    const ended = jest.fn();
    again.then(ended, ended);
    await until(() => {
      farm.stats().workers.filter((worker) => stateOf(worker.pid) === 'T').forEach((worker) => goOn(worker.pid));
      return ended.mock.calls.length > 0;
    });
    expect(await again).toBe('went on');
  });

  test('some time after it should have said so is no reason to give up the farm', async () => {
    make({ stoppedTimeout: 500 });
    const pid = await farm.run('pid');
    const exit = once(farm, 'exit');
    farm.run('stopUnsaid', [1200, 250]).catch(() => {});
    expect((await exit)[0]).toMatchObject({ pid, killedFor: 'stopped' });
  });

  test('while it leaves is killed, and close() comes to its end', async () => {
    make({ stoppedTimeout: 100 });
    const pid = await farm.run('pid');
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    await farm.close({ timeout: Infinity });
    await gone(pid);
  });
});

describe('a worker that is blocked', () => {
  test('is killed after stallTimeout, and the error says so', async () => {
    make({ stallTimeout: 300 });
    const { began, ended } = task(farm, 'block');
    const pid = await began;
    const error = await failed(ended);
    expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, signal: 'SIGKILL', killedFor: 'stalled' });
    expect(error.killedAfter).toBeGreaterThanOrEqual(300);
    expect(error.message).toMatch(/for \d+ ms its event loop had not turned and .* stallTimeout/);
    expect(await farm.run('pid')).not.toBe(pid);
  });
});
