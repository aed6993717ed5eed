'use strict';

const { fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { createService, farmOf } = require('../..');

const file = (/** @type {string} */ name) => path.join(__dirname, '..', 'fixtures', 'fork', `${name}.js`);

/** @type {any[]} */
const farms = [];

/**
 * @param {string} name of the script
 * @param {object} [options]
 */
function start(name, options) {
  const service = createService({ fork: file(name) }, { stderr: 'ignore', ...options });
  const farm = farmOf(service);
  farms.push(farm);
  return { service, farm };
}

/** Processes that should be gone by themselves. @type {number[]} */
const orphans = [];

afterEach(async () => {
  for (const pid of orphans.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // As it should be.
    }
  }
  await Promise.all(farms.splice(0).map((farm) => farm.destroy()));
});

/** @param {Promise<any>} promise */
const failure = (promise) => promise.then((value) => Promise.reject(new Error(`resolved with ${value}`)), (error) => error);

/** Resolves when the process has ended; a zombie has. @param {number} pid */
async function gone(pid) {
  for (;;) {
    let stat;
    try {
      stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      return;
    }
    if (/\) [ZX] /.test(stat)) return;
    await pause(5);
  }
}

describe('an unmodified fork script', () => {
  test('says that it is ready, gets a message, computes for a second and answers', async () => {
    const { service } = start('sum', { ready: 'ready', max: 1 });
    // The sum of 0 to 1e9 - 1, as it comes out in doubles.
    expect(await service.request('start')).toBe(499999999067109000);
  });

  test.each([1, 2])('on %i worker(s) gives each request its own answer', async (max) => {
    const { service } = start('answers', { max });
    const messages = Array.from({ length: 500 }, (_, index) => ({ index, text: 'ä'.repeat(index) }));
    expect(await Promise.all(messages.map((message) => service.request(['echo', message])))).toEqual(messages);
  });

  test('works through requests one at a time and in order', async () => {
    const { service } = start('says-ready', { max: 1, ready: { pid: 0, state: 'ready' } });
    const counts = await Promise.all(Array.from({ length: 50 }, (_, index) => service.request(index)));
    expect(counts).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  test('is ready with its message and not before; what it said earlier answers nothing', async () => {
    const { service, farm } = start('says-ready', { max: 1, ready: { state: 'ready', pid: 0 } });
    await farm.ready();
    expect(await service.request('first')).toBe(1);
    expect(farm.stats().surplusMessages).toBe(1);
  });

  test('without a ready message is ready as soon as it runs', async () => {
    const { service, farm } = start('answers', { max: 1 });
    await farm.ready();
    expect(await service.request(['echo', 'hello'])).toBe('hello');
  });

  test('may be mapped over', async () => {
    const { farm } = start('answers', { max: 2 });
    const results = [];
    for await (const result of farm.map([['echo', 1], ['echo', 2], ['echo', 3]], 'request')) results.push(result);
    expect(results).toEqual([1, 2, 3]);
  });

  test('finds what child_process.fork() gives it and nothing else', async () => {
    const options = { execArgv: ['--no-warnings', '--require', file('never-ready')], env: { ...process.env, MINE: '1' }, argv: ['a', 'b c'] };
    const { service } = start('answers', { max: 1, ...options });
    const child = fork(file('answers'), options.argv, { execArgv: options.execArgv, env: options.env });
    child.send(['sees']);
    const [expected] = await once(child, 'message');
    child.disconnect();
    expect(await service.request(['sees'])).toEqual(expected);
    expect(expected.execArgv).toEqual(options.execArgv);
  });
});

describe('values', () => {
  test('travel as JSON in both directions', async () => {
    const { service } = start('answers', { max: 1 });
    const message = { none: undefined, nan: NaN, date: new Date(0), list: [undefined, -0, 1e21], ['__proto__']: 1, lone: '\ud800', line: '\n\u2028' };
    expect(await service.request(['echo', message])).toEqual(JSON.parse(JSON.stringify(message)));
    expect(await service.request(null)).toBeNull();
  });

  test('of 10 MiB arrive there and back, and workers beside them go on', async () => {
    const { service } = start('answers', { max: 2 });
    const text = '🙂ü'.repeat(10 * 1024 * 1024 / 6);
    const [echoed, size, made] = await Promise.all([service.request(['echo', text]), service.request(['size', text]), service.request(['make', 5 << 20])]);
    expect(echoed === text).toBe(true);
    expect(size).toBe(Buffer.byteLength(text));
    expect(made === 'ü'.repeat(5 << 20)).toBe(true);
  });

  test('are put together again when they arrive byte by byte', async () => {
    const { service } = start('answers', { max: 1 });
    expect(await service.request(['bytes', 'grün 🙂 \u2028'])).toBe('grün 🙂 \u2028');
  });

  test.each([
    ['a BigInt', { n: 1n }],
    ['undefined', undefined],
    ['a function', () => {}],
    ['a cycle', (() => { const cycle = {}; return Object.assign(cycle, { cycle }); })()],
    ['what toJSON makes undefined', { toJSON() {} }],
  ])('that JSON cannot carry reject their task alone: %s', async (_, message) => {
    const { service, farm } = start('answers', { max: 1 });
    // Not by a service's method, which takes a function for a callback.
    expect(await failure(farm.run('request', [message]))).toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', message: expect.stringMatching(/^the message .*JSON/) });
    expect(await service.request(1)).toBe(1);
  });

  test('are one message for one method', async () => {
    const { service } = start('answers', { max: 1 });
    expect(await failure(service.send(1))).toMatchObject({ code: 'ERR_FARM_NO_METHOD', method: 'send', methods: ['request'] });
    expect(await failure(service(1))).toMatchObject({ code: 'ERR_FARM_NO_METHOD' });
    expect(await failure(service.request())).toMatchObject({ code: 'ERR_FARM_OPTION' });
    expect(await failure(service.request(1, 2))).toMatchObject({ code: 'ERR_FARM_OPTION' });
  });
});

describe('out of step', () => {
  test('a second answer to one message is dropped while no task runs', async () => {
    const { service, farm } = start('answers', { max: 1 });
    expect(await service.request(['twice', 'once'])).toBe('once');
    while (farm.stats().surplusMessages === 0) await pause(1);
    expect(await service.request(['echo', 'next'])).toBe('next');
  });

  test('messages of Node itself answer nothing', async () => {
    const { service } = start('answers', { max: 1 });
    expect(await service.request(['internal', 7])).toEqual({ cmd: 'NODE_', value: 7 });
  });

  test.each([['text', 'xx\n'], ['an empty line', '\n'], ['undefined', 'undefined\n']])('garbage on the channel fails its task and ends the script: %s', async (_, garbage) => {
    const { service, farm } = start('answers', { max: 1 });
    const pid = await service.request(['pid']);
    const ended = once(farm, 'exit');
    expect(await failure(service.request(['raw', garbage]))).toMatchObject({ code: 'ERR_FARM_BAD_DATA' });
    expect((await ended)[0]).toMatchObject({ pid, signal: 'SIGKILL', killedFor: 'channel' });
    expect(await service.request(['pid'])).not.toBe(pid);
  });

  test('a script that disconnects while it has a task loses it', async () => {
    const { service } = start('answers', { max: 1 });
    expect(await failure(service.request(['disconnect']))).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 0, killedFor: null });
    expect(await failure(service.request(['disconnect and loop']))).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', signal: 'SIGKILL', killedFor: 'channel' });
    expect(await service.request(['echo', 'next'])).toBe('next');
  });
});

describe('death', () => {
  test('a crash rejects its task with the record and the last lines of stderr; a fresh worker goes on', async () => {
    const { service } = start('answers', { max: 1, stderr: 'pipe' });
    const pid = await service.request(['pid']);
    const error = await failure(service.request(['die']));
    expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', pid, workerId: 1, exitCode: 1, signal: null, started: true });
    expect(error.stderr).toMatch(/the last words[^]*no more/);
    expect(error.message).toMatch(/exited with code 1 while it ran the task\nLast lines of its stderr:[^]*no more/);
    expect(await failure(service.request(['exit', 3]))).toMatchObject({ exitCode: 3 });
    expect(await service.request(['pid'])).not.toBe(pid);
  });

  test('a loop is ended at its timeout, and only that', async () => {
    const { service, farm } = start('answers', { max: 2, stdout: 'ignore' });
    const looping = farm.run('request', [['loop']], { timeout: 50 });
    const error = await failure(looping);
    expect(error).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT', timeout: 50 });
    expect(await Promise.all([1, 2, 3].map((n) => service.request(['echo', n])))).toEqual([1, 2, 3]);
  });

  test('a script that never answers is ended at the timeout', async () => {
    const { service, farm } = start('answers', { max: 1, timeout: 50 });
    const ended = once(farm, 'exit');
    expect(await failure(service.request(['silent']))).toMatchObject({ code: 'ERR_FARM_TASK_TIMEOUT' });
    expect((await ended)[0]).toMatchObject({ signal: 'SIGKILL', killedFor: 'timeout', verdict: 'timeout' });
  });

  test('an aborted task ends the script that runs it; one that waits ends none', async () => {
    const { service, farm } = start('answers', { max: 1, stdout: 'pipe' });
    const pid = await service.request(['pid']);
    const running = new AbortController();
    const waiting = new AbortController();
    const ended = once(farm, 'exit');
    const first = failure(farm.run('request', [['loop']], { signal: running.signal }));
    const second = failure(farm.run('request', [['echo', 2]], { signal: waiting.signal }));
    const third = service.request(['echo', 3]);
    await once(farm, 'stdout');
    waiting.abort(new Error('not any more'));
    expect((await second).message).toBe('not any more');
    running.abort(new Error('stop'));
    expect((await first).message).toBe('stop');
    expect(await third).toBe(3);
    expect((await ended)[0]).toMatchObject({ pid, signal: 'SIGKILL' });
  });

  test('a script that ends by itself after each answer is started again', async () => {
    const { service, farm } = start('once', { max: 1 });
    const pids = [];
    for (let round = 0; round < 3; round++) {
      const ended = once(farm, 'exit');
      pids.push(await service.request('pid'));
      expect((await ended)[0]).toMatchObject({ pid: pids.at(-1), exitCode: 0 });
    }
    expect(new Set(pids).size).toBe(3);
  });

  test.each(['loop', 'silent', 'idle'])('no script outlives a parent that is killed: %s', async (state) => {
    const parent = spawn(process.execPath, [file('parent'), state], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    expect(pid).toBeGreaterThan(1);
    orphans.push(pid);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await gone(pid);
    orphans.length = 0;
  });
});

describe('the start', () => {
  test('of a script that is not there fails at once', () => {
    expect(() => createService({ fork: file('nowhere') })).toThrow(expect.objectContaining({ code: 'ERR_FARM_START', reason: 'resolve' }));
  });

  test('fails when the script ends before it is ready, with what it said', async () => {
    const { service, farm } = start('ends', { max: 1, ready: 'ready', stderr: 'pipe' });
    const expected = { code: 'ERR_FARM_START', reason: 'load', exitCode: 9, stderr: 'cannot work here' };
    expect(await failure(service.request(1))).toMatchObject(expected);
    expect(await failure(farm.ready())).toMatchObject(expected);
  });

  test('fails when the script is not ready in time', async () => {
    const { service } = start('never-ready', { max: 1, ready: 'ready', startTimeout: 1000 });
    expect(await failure(service.request(1))).toMatchObject({ code: 'ERR_FARM_START', reason: 'handshake', killedFor: 'startTimeout' });
  });

  test('is not repeated for a script that ends at once, but for each task', async () => {
    const { service, farm } = start('ends', { max: 1 });
    let started = 0;
    farm.on('spawn', () => started++);
    for (let round = 1; round <= 3; round++) {
      const ended = once(farm, 'exit');
      expect(await failure(service.request(round))).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', exitCode: 9 });
      await ended;
      expect(started).toBe(round);
    }
    await farm.close();
    expect(started).toBe(3);
  });
});

describe('closing', () => {
  test('finishes what there is, then the script leaves by itself', async () => {
    const { service, farm } = start('answers', { max: 1 });
    const ended = once(farm, 'exit');
    const answers = [1, 2, 3].map((n) => service.request(['echo', n]));
    await farm.close();
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
    expect((await ended)[0]).toMatchObject({ exitCode: 0, signal: null, planned: true, killedFor: null });
    expect(await failure(service.request(1))).toMatchObject({ code: 'ERR_FARM_CLOSED' });
  });

  test('an idle script leaves after idleTimeout, and the next task starts another', async () => {
    const { service, farm } = start('answers', { max: 1, idleTimeout: 20 });
    const ended = once(farm, 'exit');
    const pid = await service.request(['pid']);
    expect((await ended)[0]).toMatchObject({ pid, exitCode: 0, planned: true });
    expect(await service.request(['pid'])).not.toBe(pid);
  });

  test.each([
    ['SIGTERM', []],
    ['SIGKILL', ['deaf']],
  ])('a script that stays is told, then gets %s', async (signal, argv) => {
    const { service, farm } = start('stays', { max: 1, grace: 50, stdout: 'pipe', argv });
    let said = '';
    farm.on('stdout', (/** @type {Buffer} */ bytes) => (said += bytes));
    const ended = once(farm, 'exit');
    expect(await service.request(1)).toBe(1);
    await farm.close();
    expect((await ended)[0]).toMatchObject({ signal, planned: true, killedFor: 'close' });
    expect(said).toBe('disconnected\n');
  });

  test('a script that has to be helped out counts as what it was told to leave for', async () => {
    const { service, farm } = start('stays', { max: 1, grace: 0, idleTimeout: 1 });
    const ended = once(farm, 'exit');
    expect(await service.request(1)).toBe(1);
    expect((await ended)[0]).toMatchObject({ signal: 'SIGTERM', retiredFor: 'idle', killedFor: 'close' });
    expect(farm.stats().exits).toEqual({ idle: 1 });
  });

  test('destroy() ends a busy script now', async () => {
    const { service, farm } = start('answers', { max: 1, stdout: 'pipe' });
    const ended = once(farm, 'exit');
    const lost = failure(service.request(['loop']));
    await once(farm, 'stdout');
    await farm.destroy();
    expect(await lost).toMatchObject({ code: 'ERR_FARM_CLOSED' });
    expect((await ended)[0]).toMatchObject({ signal: 'SIGKILL' });
  });
});
