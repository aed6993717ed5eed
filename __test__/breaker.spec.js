'use strict';

const path = require('node:path');
const { WorkerFarm } = require('..');
const { once } = require('node:events');

const fixture = (name) => path.join(__dirname, 'fixtures', 'life', name);
let farm;

afterEach(() => farm.destroy());

const failure = (promise) => promise.then(() => undefined, (error) => error);

test('after startAttempts failed starts tasks are turned away with the first error and nothing is started', async () => {
  farm = new WorkerFarm(fixture('does-not-load.js'), { max: 2, startAttempts: 3 });
  const first = await failure(farm.run('f'));
  for (let i = 1; i < 3; i++) expect(await failure(farm.run('f'))).not.toHaveProperty('breaker');
  let spawned = 0;
  farm.on('spawn', () => spawned++);
  const away = await failure(farm.run('f'));
  expect(away).toMatchObject({ code: 'ERR_FARM_START', reason: 'load', breaker: 'open', retryAfter: expect.any(Number) });
  expect(away.cause).toEqual(first.cause);
  expect(away.message).toContain(first.message);
  expect(await failure(farm.ready())).toMatchObject({ breaker: 'open' });
  expect(spawned).toBe(0);
});

test('when its time is over one start is tried, and a success closes it', async () => {
  const env = { ...process.env, TRIALS: path.join(require('node:os').tmpdir(), `farm-breaker-${process.pid}`) };
  require('node:fs').writeFileSync(env.TRIALS, '');
  farm = new WorkerFarm(fixture('loads-at-third.js'), { max: 2, startAttempts: 2, env });
  await failure(farm.run('trial'));
  await failure(farm.run('trial'));
  const { retryAfter } = await failure(farm.run('trial'));
  await new Promise((resolve) => { setTimeout(resolve, retryAfter + 1); });
  expect(await farm.run('trial')).toBe(3);
  expect(await farm.run('trial')).toBe(3);
  require('node:fs').rmSync(env.TRIALS);
});

test('a worker that dies right after its start, again and again, is replaced at longer and longer intervals', async () => {
  farm = new WorkerFarm(fixture('dies-when-online.js'), { min: 1, max: 1, stderr: 'ignore' });
  const spawns = [];
  farm.on('spawn', () => spawns.push(performance.now()));
  farm.on('workerError', () => {});
  while (spawns.length < 4) await once(farm, 'spawn');
  // 100, 200 and 400 ms of waiting lie between them.
  expect(spawns[3] - spawns[0]).toBeGreaterThan(650);
});

test('a worker that somebody kills while it starts is started anew; the task waits', async () => {
  farm = new WorkerFarm(fixture('replaced.js'), { max: 1 });
  let kills = 2;
  farm.on('spawn', ({ pid }) => {
    if (kills-- > 0) process.kill(pid, 'SIGKILL');
  });
  const told = [];
  farm.on('workerError', (error) => told.push(error.code));
  expect(await farm.run('double', [4])).toBe(8);
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told)).toEqual(new Set(['ERR_FARM_START']));
});

test('a listener that throws is an uncaught exception, and nothing that came with its event is lost', () => {
  const script = `
    const { WorkerFarm } = require(${JSON.stringify(path.dirname(__dirname))});
    const farm = new WorkerFarm(${JSON.stringify(fixture('replaced.js'))}, { max: 1 });
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    for (const name of ['spawn', 'online', 'exit']) farm.on(name, () => { throw new Error(name); });
    farm.run('double', [4]).then(async (value) => { await farm.close(); console.log('closed', value); });
  `;
  const { stdout } = require('node:child_process').spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(stdout.trim().split('\n').sort()).toEqual(['closed 8', 'uncaught exit', 'uncaught online', 'uncaught spawn']);
});
