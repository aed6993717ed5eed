'use strict';

const { EventEmitter } = require('node:events');
const { TaskEvents } = require('../lib/task-events');
const { program } = require('./fixtures/life/processes');
const { next, openFarm } = require('./fixtures/open-farm');

/** Every event of the life of tasks, in order; `end()`: the next `taskEnd`. */
function listen(farm) {
  const log = [];
  for (const name of ['taskStart', 'taskRetry', 'taskEnd']) farm.on(name, (event) => log.push([name, event]));
  return { log, names: () => log.map(([name]) => name), last: () => log.at(-1)[1], end: () => next(farm, 'taskEnd') };
}

const time = expect.any(Number);

test('a task that completes starts and ends once', async () => {
  const farm = openFarm('life/trials.js');
  const { log } = listen(farm);
  await farm.run('until', [1, 'exit']);
  await farm.run('pid');
  expect(log).toEqual([
    ['taskStart', { taskId: 1, method: 'until', attempt: 1, workerId: 1, wait: time }],
    ['taskEnd', { taskId: 1, method: 'until', attempts: 1, workerId: 1, wait: time, run: time, status: 'completed' }],
    ['taskStart', { taskId: 2, method: 'pid', attempt: 1, workerId: 1, wait: time }],
    ['taskEnd', { taskId: 2, method: 'pid', attempts: 1, workerId: 1, wait: time, run: time, status: 'completed' }],
  ]);
  expect(log[0][1].wait).toBeGreaterThan(0);
  expect(log[1][1].wait).toBe(log[0][1].wait);
});

test('one that throws ends with the error that its caller gets', async () => {
  const farm = openFarm('life/trials.js');
  const { names, last } = listen(farm);
  const error = await farm.run('until', [2, 'throw']).catch((thrown) => thrown);
  expect(names()).toEqual(['taskStart', 'taskEnd']);
  expect(last()).toMatchObject({ status: 'failed', attempts: 1 });
  expect(last().error).toBe(error);
});

test('its start is told while it runs', async () => {
  const farm = openFarm('life/trials.js');
  const { names, last, end } = listen(farm);
  const controller = new AbortController();
  const result = farm.run('until', [2, 'hang'], { signal: controller.signal }).catch((error) => error);
  await next(farm, 'taskStart');
  expect(names()).toEqual(['taskStart']);
  const ended = end();
  controller.abort('enough');
  expect(await result).toBe('enough');
  await ended;
  expect(last()).toEqual({ taskId: 1, method: 'until', attempts: 1, workerId: 1, wait: time, run: time, status: 'cancelled', error: 'enough' });
});

test('what waits and is given up has only an end', async () => {
  const farm = openFarm('life/trials.js');
  let busy;
  await new Promise((began) => {
    busy = farm.run('until', [2, 'hang'], { onProgress: began }).catch(() => {});
  });
  const { log, end } = listen(farm);
  const controller = new AbortController();
  const given = farm.run('pid', [], { signal: controller.signal }).catch((error) => error);
  const late = farm.run('pid', [], { queueTimeout: 1 }).catch((error) => error);
  const error = await late;
  const ended = end();
  controller.abort('no');
  expect(await given).toBe('no');
  await ended;
  const nothing = { attempts: 0, workerId: null, run: null, wait: time, method: 'pid' };
  expect(log).toEqual([
    ['taskEnd', { taskId: 1, ...nothing, status: 'queueTimedOut', error }],
    ['taskEnd', { taskId: 2, ...nothing, status: 'cancelled', error: 'no' }],
  ]);
  await farm.destroy();
  await busy;
});

test('a task that is tried again tells of each attempt', async () => {
  const farm = openFarm('life/trials.js', { stderr: 'ignore' });
  const { log, names } = listen(farm);
  await farm.run('each', ['exit', 'throw'], { retries: 2, retryOn: ['exit', 'error'] });
  expect(names()).toEqual(['taskStart', 'taskRetry', 'taskStart', 'taskRetry', 'taskStart', 'taskEnd']);
  expect(new Set(log.map(([, event]) => event.taskId)).size).toBe(1);
  const [, exit, , thrown, , end] = log.map(([, event]) => event);
  expect(exit).toMatchObject({ attempt: 1, workerId: log[0][1].workerId, run: time, status: 'lost', error: { code: 'ERR_FARM_WORKER_EXIT', exitCode: 7 } });
  expect(thrown).toMatchObject({ attempt: 2, status: 'failed', error: { name: 'RangeError' } });
  expect(end).toMatchObject({ attempts: 3, status: 'completed' });
});

test.each([
  ['runs too long', 'spin', { timeout: 500 }, 'timedOut', 'ERR_FARM_TASK_TIMEOUT'],
  ['loses its worker', 'kill', {}, 'lost', 'ERR_FARM_WORKER_EXIT'],
])('one that %s has a start and an end', async (_, way, options, status, code) => {
  const farm = openFarm('life/trials.js', { stderr: 'ignore' });
  const { log, names, last } = listen(farm);
  await farm.run('until', [2, way], options).catch(() => {});
  expect(names()).toEqual(['taskStart', 'taskEnd']);
  expect(last()).toMatchObject({ attempts: 1, workerId: log[0][1].workerId, run: time, status, error: { code } });
});

test('a farm that is destroyed ends what it has', async () => {
  const farm = openFarm('life/trials.js');
  const { log, end } = listen(farm);
  const ran = farm.run('until', [2, 'hang']).catch((error) => error);
  await next(farm, 'taskStart');
  const waited = farm.run('pid').catch((error) => error);
  const ended = end();
  await farm.destroy();
  await Promise.all([ran, waited, ended]);
  const ends = log.filter(([name]) => name === 'taskEnd').map(([, { status, workerId }]) => [status, workerId]);
  expect(ends).toEqual([['closed', 1], ['closed', null]]);
});

test('nobody is told of what was under way before, but of its end', async () => {
  const farm = openFarm('life/trials.js');
  const { names, end } = listen(farm);
  await farm.run('pid');
  farm.removeAllListeners();
  await farm.run('pid');
  expect(names()).toEqual(['taskStart', 'taskEnd']);
  const ended = end();
  await farm.run('pid');
  expect((await ended)[0]).toMatchObject({ status: 'completed', taskId: 2 });
});

test('a listener that throws does not keep the other tasks from their end', async () => {
  const { stdout } = await program(`
    const farm = new WorkerFarm(worker, { max: 1 });
    process.on('uncaughtException', (error) => say('uncaught', error.message));
    farm.on('taskEnd', ({ taskId }) => { throw new Error('end ' + taskId); });
    Promise.all([farm.run('pid'), farm.run('pid'), farm.run('pid')]).then((list) => say(list.length)).then(() => farm.close());
  `);
  expect(stdout.trim().split('\n').sort()).toEqual(['3', 'uncaught end 1', 'uncaught end 2', 'uncaught end 3']);
});

test('the native side is told who listens, and nothing while nobody does', () => {
  const told = [];
  const native = { watchTasks: (...what) => told.push(what), lifeOf: () => [0, 1, 0, -1] };
  const emitter = new EventEmitter();
  const events = new TaskEvents(native, emitter);
  emitter.on('online', () => {});
  expect([events.on, events.lifeOf(1), told]).toEqual([false, null, []]);
  const listener = () => {};
  emitter.once('taskEnd', listener);
  emitter.on('taskStart', listener);
  emitter.off('taskStart', listener);
  expect(events.on).toBe(true);
  emitter.emit('taskEnd');
  expect(events.on).toBe(false);
  expect(told).toEqual([[true, false], [true, true], [true, false], [false, false]]);
});
