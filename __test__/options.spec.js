'use strict';

const path = require('node:path');
const { inspect } = require('node:util');
const { WorkerFarm } = require('..');
const { farmOptions, taskOptions, mapOptions } = require('../lib/options');
const { inheritedExecArgv } = require('../lib/exec-argv');

/** @param {() => unknown} act */
function thrownBy(act) {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const refusal = (options, source = 'worker.js') => thrownBy(() => farmOptions(source, options));

describe('the options of a farm', () => {
  test('have the documented defaults', () => {
    expect(farmOptions('worker.js')).toMatchObject({
      fork: false,
      max: undefined,
      min: 0,
      idleTimeout: 30_000,
      timeout: Infinity,
      queueTimeout: Infinity,
      tasksPerWorker: 1,
      grace: 1000,
      startTimeout: 30_000,
      startAttempts: 5,
      spares: 0,
      recycle: {},
      stoppedTimeout: 5000,
      stallTimeout: Infinity,
      env: undefined,
      cwd: undefined,
      argv: [],
      execPath: process.execPath,
      workerData: undefined,
      stdout: 'inherit',
      stderr: 'inherit',
      killTree: true,
      inspect: false,
      codec: 'default',
      views: true,
      spin: 20,
      maxSharedMemory: undefined,
      ready: undefined,
    });
    expect(farmOptions('worker.js', {})).toEqual(farmOptions('worker.js'));
  });

  test('are a frozen copy: what the caller changes later has no effect', () => {
    const given = { argv: ['a'], env: { A: '1' } };
    const options = farmOptions('worker.js', given);
    given.argv.push('b');
    given.env.B = '2';
    expect(options.argv).toEqual(['a']);
    expect(options.env).toEqual({ A: '1' });
    expect(Object.isFrozen(options)).toBe(true);
  });

  test('take undefined for the default', () => {
    expect(farmOptions('worker.js', { min: undefined, stdout: undefined })).toMatchObject({ min: 0, stdout: 'inherit' });
  });

  test.each([
    ['idleTimeout', Infinity],
    ['idleTimeout', 0],
    ['timeout', 0.5 + 1],
    ['grace', 0],
    ['spin', 0],
    ['max', 1024],
    ['tasksPerWorker', 64],
    ['workerData', null],
    ['codec', 'json'],
    ['codec', './codec.js'],
  ])('%s may be %p', (name, value) => {
    expect(farmOptions('worker.js', { [name]: value })[name]).toBe(value);
  });

  test.each([
    ['max', 0],
    ['max', 1.5],
    ['max', Infinity],
    ['max', '4'],
    ['max', 1025],
    ['max', null],
    ['min', -1],
    ['timeout', NaN],
    ['timeout', 0],
    ['timeout', -5],
    ['timeout', '100'],
    ['queueTimeout', NaN],
    ['idleTimeout', -1],
    ['grace', Infinity],
    ['startTimeout', NaN],
    ['startAttempts', 0],
    ['spares', -1],
    ['recycle', 100],
    ['stoppedTimeout', 0],
    ['stallTimeout', '1s'],
    ['tasksPerWorker', 0],
    ['tasksPerWorker', 65],
    ['env', 'A=1'],
    ['cwd', ''],
    ['cwd', 1],
    ['argv', 'a'],
    ['argv', [1]],
    ['execArgv', ['a\0']],
    ['execPath', ''],
    ['stdout', 'file'],
    ['stderr', true],
    ['killTree', 'yes'],
    ['inspect', 1],
    ['codec', ''],
    ['codec', { encode() {}, decode() {} }],
    ['codec', new URL('https://example.org/codec.js')],
    ['views', 'yes'],
    ['spin', -1],
    ['spin', 1001],
    ['maxSharedMemory', 5],
  ])('%s cannot be %p', (name, value) => {
    const error = refusal({ [name]: value });
    expect(error).toMatchObject({ code: 'ERR_FARM_OPTION', option: name });
    expect(error.message).toMatch(new RegExp(`^${name} must be .+, not .+`));
  });

  test('min must not be above max', () => {
    expect(refusal({ min: 3, max: 2 })).toMatchObject({ code: 'ERR_FARM_OPTION', message: 'min (3) must not be above max (2)' });
    expect(farmOptions('worker.js', { min: 2, max: 2 })).toMatchObject({ min: 2, max: 2 });
  });

  test('env takes what child_process takes', () => {
    expect(farmOptions('worker.js', { env: { A: '1', B: 2, C: true, D: undefined } }).env).toEqual({ A: '1', B: '2', C: 'true' });
  });

  test('env: what is wrong is told by its name, without the rest', () => {
    const secret = 'a password';
    const refused = (entry) => thrownBy(() => farmOptions('worker.js', { env: { TOKEN: secret, ...entry } }));
    for (const [entry, option, message] of [
      [{ SYMBOL: Symbol('s') }, 'env.SYMBOL', 'env.SYMBOL must be a string without a zero byte, not Symbol(s)'],
      [{ EMPTY: null }, 'env.EMPTY', 'env.EMPTY must be a string without a zero byte, not null'],
      [{ ZERO: 'a\0b' }, 'env.ZERO', /^env\.ZERO must be a string without a zero byte/],
      [{ 'A=B': 'c' }, 'env', "env has a variable 'A=B'; a name must not be empty, nor hold \"=\" or a zero byte"],
    ]) {
      const error = refused(entry);
      expect(error).toMatchObject({ code: 'ERR_FARM_OPTION', option });
      expect(error.message).toMatch(message);
      expect(inspect(error)).not.toContain(secret);
    }
  });

  test('cwd may be a file: URL', () => {
    expect(farmOptions('worker.js', { cwd: new URL('file:///some/where') }).cwd).toBe('/some/where');
  });

  test.each([[null], ['4'], [4], [[]], [() => {}]])('%p is no options object', (options) => {
    expect(refusal(options)).toMatchObject({ code: 'ERR_FARM_OPTION' });
  });

  test('a slip of the keyboard is answered with the nearest name', () => {
    expect(refusal({ timout: 5 }).message).toBe('createService has no option "timout". Did you mean "timeout"?');
    expect(refusal({ idletimeout: 5 }).message).toMatch('"idleTimeout"');
    expect(refusal({ stdOut: 'pipe' }).message).toMatch('"stdout"');
  });

  test('a name that is near to nothing is answered with the list', () => {
    expect(refusal({ colour: 'red' }).message).toMatch(/The options are: max, min, .*maxSharedMemory/);
  });

  test.each([
    ['concurrency', 'max'],
    ['maxWorkers', 'max'],
    ['numWorkers', 'max'],
    ['maxThreads', 'max'],
    ['maxConcurrentWorkers', 'max'],
    ['minThreads', 'min'],
    ['minWorkers', 'min'],
    ['maxCallTime', 'timeout'],
    ['taskTimeout', 'timeout'],
    ['concurrentTasksPerWorker', 'tasksPerWorker'],
    ['maxConcurrentCallsPerWorker', 'tasksPerWorker'],
    ['forcedKillTime', 'grace'],
    ['serialization', 'codec'],
  ])('the word %s of another pool is answered with %s', (theirs, ours) => {
    const error = refusal({ [theirs]: 1 });
    expect(error).toMatchObject({ code: 'ERR_FARM_OPTION', option: theirs });
    expect(error.message).toMatch(`Here it is called "${ours}".`);
  });

  test.each(['maxRetries', 'maxQueueSize', 'forkOptions', 'enableWorkerThreads'])('%s is refused with advice', (name) => {
    expect(refusal({ [name]: 1 }).message).toMatch(new RegExp(`has no option "${name}"\\. \\S+.{20}`));
  });

  test('an option of a task is named as one', () => {
    expect(refusal({ onProgress() {} }).message).toMatch('farm.run(method, args, options)');
  });

  test('names of Object.prototype are unknown too', () => {
    expect(refusal({ constructor: 1 })).toMatchObject({ code: 'ERR_FARM_OPTION', option: 'constructor' });
    expect(refusal(JSON.parse('{"__proto__": 1}'))).toMatchObject({ code: 'ERR_FARM_OPTION', option: '__proto__' });
  });

  test('a value with a costly print does not flood the message', () => {
    expect(refusal({ max: 'x'.repeat(10_000) }).message.length).toBeLessThan(250);
  });

  // Nanoseconds of these fit no 64 bits.
  test('any finite time is a time for the native side too', () => {
    const ever = Number.MAX_VALUE;
    const times = { idleTimeout: ever, grace: ever, startTimeout: ever, stoppedTimeout: ever, stallTimeout: ever, recycle: { age: ever }, limits: { cpuTime: ever } };
    const farm = new WorkerFarm(path.join(__dirname, 'fixtures', 'life', 'worker.js'), times);
    return farm.destroy();
  });
});

describe('the options of a fork-style farm', () => {
  const source = { fork: 'child.js' };

  test('know ready', () => {
    expect(farmOptions(source, { ready: 'ready', timeout: 5 })).toMatchObject({ fork: true, ready: 'ready', timeout: 5 });
    expect(refusal({ ready: () => {} }, source)).toMatchObject({ code: 'ERR_FARM_OPTION', option: 'ready' });
    expect(refusal({ ready: 'ready' })).toMatchObject({ code: 'ERR_FARM_OPTION', option: 'ready' });
  });

  test.each([['workerData', 1], ['tasksPerWorker', 2], ['codec', 'json'], ['views', false], ['spin', 0]])('refuse %s', (name, value) => {
    expect(refusal({ [name]: value }, source)).toMatchObject({ code: 'ERR_FARM_OPTION', option: name });
  });
});

describe('the options of a task', () => {
  test('are null when there is nothing in them', () => {
    expect(taskOptions(undefined)).toBeNull();
    expect(taskOptions({})).toBeNull();
    expect(taskOptions({ timeout: undefined })).toBeNull();
  });

  test('come back checked', () => {
    const onProgress = () => {};
    const { signal } = new AbortController();
    expect(taskOptions({ timeout: 5, signal, onProgress })).toEqual({ timeout: 5, queueTimeout: undefined, signal, onProgress });
  });

  test.each([
    ['timeout', NaN],
    ['timeout', 0],
    ['queueTimeout', '1'],
    ['signal', {}],
    ['signal', { aborted: false }],
    ['onProgress', {}],
    ['timeuot', 1],
  ])('%s cannot be %p', (name, value) => {
    expect(thrownBy(() => taskOptions({ [name]: value }))).toMatchObject({ code: 'ERR_FARM_OPTION', option: name });
  });

  test('are read once', () => {
    let reads = 0;
    const options = {
      get timeout() {
        return ++reads * 10;
      },
    };
    expect(taskOptions(options)).toMatchObject({ timeout: 10 });
    expect(mapOptions({ get concurrency() { return ++reads; } }).concurrency).toBe(2); // eslint-disable-line brace-style
    expect(reads).toBe(2);
  });

  test('may come from a prototype', () => {
    class Options {
      get timeout() {
        return 7;
      }
    }
    expect(taskOptions(new Options())).toMatchObject({ timeout: 7 });
    expect(taskOptions(Object.assign(Object.create(null), { timeout: 8 }))).toMatchObject({ timeout: 8 });
  });

  test('null is no options object', () => {
    expect(thrownBy(() => taskOptions(null))).toMatchObject({ code: 'ERR_FARM_OPTION' });
  });

  test('an option of the farm is named as one', () => {
    expect(thrownBy(() => taskOptions({ grace: 1 })).message).toMatch('an option of the farm');
  });
});

test('the options of a map have defaults and checks', () => {
  expect(mapOptions(undefined)).toEqual({ concurrency: undefined, ordered: true, signal: undefined });
  expect(mapOptions({ concurrency: 3, ordered: false })).toMatchObject({ concurrency: 3, ordered: false });
  expect(thrownBy(() => mapOptions({ concurrency: 0 }))).toMatchObject({ code: 'ERR_FARM_OPTION', option: 'concurrency' });
  expect(thrownBy(() => mapOptions({ orderd: true })).message).toMatch('"ordered"');
});

test.each([[null], [5], [{ rest: true }], [{ reset: 'yes' }]])('stats(%p) is refused, of a closed farm too', async (options) => {
  const farm = new WorkerFarm(__filename);
  const refusal = expect.objectContaining({ code: 'ERR_FARM_OPTION' });
  expect(() => farm.stats(options)).toThrow(refusal);
  await farm.close();
  expect(() => farm.stats(options)).toThrow(refusal);
  expect(farm.stats({ reset: true }).state).toBe('closed');
});

test('a refused method or argument list is shown', async () => {
  const farm = new WorkerFarm(__filename);
  await expect(farm.run(null)).rejects.toMatchObject({ code: 'ERR_FARM_OPTION', option: 'method', value: null, message: expect.stringMatching(/, not null$/) });
  await expect(farm.run('add', 'ab')).rejects.toMatchObject({ option: 'args', message: "args must be an array of arguments, not 'ab'" });
  await farm.close();
});

describe('the node options that workers inherit', () => {
  test.each([
    [['--inspect'], []],
    [['--inspect-brk=127.0.0.1:9230', '--max-old-space-size=64'], ['--max-old-space-size=64']],
    [['--inspect-port', '9230', '-r', 'x'], ['-r', 'x']],
    [['-e', 'code()', '--no-warnings'], ['--no-warnings']],
    [['--eval=code()'], []],
    [['--print', '1 + 1'], []],
    [['-p', '--expose-gc'], ['--expose-gc']],
    [['-pe', '1'], []],
    [['--input-type=module', '-e', 'x'], []],
    [['--input-type', 'module', '--import', 'tsx'], ['--import', 'tsx']],
    [['--test', '--test-reporter', 'spec', '--test-name-pattern=a', '--enable-source-maps'], ['--enable-source-maps']],
    [['--watch', '--watch-path', 'src', '--conditions', 'dev'], ['--conditions', 'dev']],
    [['--interactive', '--check'], []],
    [['--conditions=test', '--trace-warnings', '--expose-internals'], ['--conditions=test', '--trace-warnings', '--expose-internals']],
  ])('%p gives %p', (given, kept) => {
    expect(inheritedExecArgv(given)).toEqual(kept);
  });

  test('are a copy of those of this process by default', () => {
    const { execArgv } = farmOptions('worker.js');
    expect(execArgv).toEqual(inheritedExecArgv(process.execArgv));
    expect(execArgv).not.toBe(process.execArgv);
  });
});
