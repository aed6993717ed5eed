'use strict';

const { WorkerFarm } = require('../..');
const { gone, worker } = require('../fixtures/life/processes');

/** The same numbers in every run. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let farm;
afterEach(() => farm.destroy());

test('100 kills at random moments with 64 tasks in flight: each settles once, and what had not started is served', async () => {
  const random = dice(7);
  farm = new WorkerFarm(worker, { max: 2, stderr: 'ignore' });
  const pids = [];
  farm.on('spawn', ({ pid }) => pids.push(pid));
  const unexpected = [];
  farm.on('workerError', (error) => unexpected.push(error));
  let kills = 0;
  let next = 0;
  const settled = [];
  const lost = [];

  const one = async () => {
    while (kills < 100) {
      const n = next++;
      settled[n] = 0;
      const method = n % 4 === 0 ? 'answerLate' : 'echo';
      const [value, error] = await farm.run(method, method === 'echo' ? [n] : [n, n % 3]).then((got) => [got], (thrown) => [undefined, thrown]);
      settled[n]++;
      if (error === undefined) expect(value).toBe(n);
      else lost.push(error);
    }
  };
  const killer = async () => {
    while (kills < 100) {
      await new Promise((resolve) => setTimeout(resolve, random() * 12));
      const online = farm.stats().workers.filter(({ state }) => state === 'online');
      if (online.length === 0) continue;
      const { pid } = online[Math.floor(random() * online.length)];
      try {
        process.kill(pid, ['SIGKILL', 'SIGSEGV', 'SIGTERM'][kills % 3]);
        kills++;
      } catch {
        // Gone already, by the last kill.
      }
    }
  };
  await Promise.all([killer(), ...Array.from({ length: 64 }, one)]);

  expect(settled.filter((times) => times !== 1)).toEqual([]);
  expect(farm.stats().tasks.open).toBe(0);
  // A worker runs one task at a time: no kill can cost more than one.
  expect(lost.length).toBeLessThanOrEqual(100);
  for (const error of lost) expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', started: true });
  expect(unexpected).toEqual([]);
  await farm.close();
  await gone(...pids);
});

test('tasks that end their worker, among others, at every window position', async () => {
  farm = new WorkerFarm(worker, { max: 2, stderr: 'ignore' });
  const ends = await Promise.allSettled(Array.from({ length: 9000 }, (_, n) => (n % 300 === 150 ? farm.run('exit', [n % 200]) : farm.run('echo', [n]))));
  ends.forEach((end, n) => {
    if (n % 300 === 150) expect(end.reason).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: n % 200 });
    else expect(end.value).toBe(n);
  });
});

test('a parent that is blocked while its workers die loses nothing else', async () => {
  farm = new WorkerFarm(worker, { max: 2, stderr: 'ignore' });
  await Promise.all([farm.run('busy', [20]), farm.run('busy', [20])]);
  const tasks = Array.from({ length: 60 }, (_, n) => farm.run(n % 6 === 5 ? 'exit' : 'echo', [n]));
  process.nextTick(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000));
  const ends = await Promise.allSettled(tasks);
  ends.forEach((end, n) => {
    if (n % 6 === 5) expect(end.reason).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: n });
    else expect(end.value).toBe(n);
  });
});
