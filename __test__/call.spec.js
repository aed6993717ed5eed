'use strict';

const assert = require('node:assert');
const path = require('node:path');
const util = require('node:util');
const { createService, farmOf } = require('..');
const { openFarm } = require('./fixtures/open-farm');

const stripsTypes = Boolean(process.features.typescript);

describe('a call', () => {
  test('of sync and async functions gives what they give', async () => {
    const { service } = openFarm('calls/kinds.js');
    expect(await service.add(1, 2)).toBe(3);
    expect(await service.addAsync('a', 'b')).toBe('ab');
    await expect(service.throws()).rejects.toThrow(new TypeError('thrown'));
    await expect(service.rejects()).rejects.toThrow(new TypeError('rejected'));
  });

  test('carries any number of arguments, those that are undefined too', async () => {
    const { service } = openFarm('calls/kinds.js');
    for (const count of [0, 1, 2, 3, 4, 50, 1000]) expect(await service.count(...Array(count).fill(undefined))).toBe(count);
  });

  test('follows thenables as await does', async () => {
    const { service } = openFarm('calls/kinds.js');
    expect(await service.thenable(5)).toBe(5);
    expect(await service.thenableTwice(6)).toBe(6);
    expect(await service.functionWithThen()).toBe('by a function');
    await expect(service.thenableThrows()).rejects.toThrow('from then');
    await expect(service.thenableRejects()).rejects.toThrow(new RangeError('no'));
  });

  test('takes a callback as last argument and then returns nothing', async () => {
    const { service } = openFarm('calls/kinds.js');
    const called = (method, ...args) => {
      let returned;
      const outcome = new Promise((resolve) => {
        returned = service[method](...args, (...result) => resolve(result));
      });
      expect(returned).toBeUndefined();
      return outcome;
    };
    expect(await called('add', 1, 2)).toEqual([null, 3]);
    expect(await called('count')).toEqual([null, 0]);
    const [error, ...rest] = await called('throws');
    expect(error).toEqual(new TypeError('thrown'));
    expect(rest).toEqual([]);
  });

  test('of a module that is one function is a call of the service', async () => {
    const { service } = openFarm('modules/single.js');
    expect(await service(4)).toBe(40);
    expect(await service.plus(4)).toBe(5);
    expect(await farmOf(service).run('', [5])).toBe(50);
  });

  test.each([
    ['an ES module with top-level await', 'modules/esm/top-level-await.js', (service) => service.times(3), 21],
    ['its default export', 'modules/esm/top-level-await.js', (service) => service(3), 42],
    ['an ES module by syntax alone', 'modules/by-syntax.js', (service) => service.plus(1), 5],
    ['an object as default export', 'modules/default-object.mjs', (service) => service.viaThis(1), 2],
    ['this of a CommonJS module', 'modules/many.js', (service) => service.viaThis(4), 9],
  ])('runs %s', async (_, file, call, expected) => {
    // Node 20 cannot tell an ES module by its syntax without its flag.
    if (file.endsWith('by-syntax.js') && /^v20\./.test(process.version)) {
      const { service } = openFarm(file, { execArgv: ['--experimental-detect-module'] });
      expect(await call(service)).toBe(expected);
    } else expect(await call(openFarm(file).service)).toBe(expected);
  });

  test('finds a worker beside the calling file, by path, URL and without extension', async () => {
    for (const source of ['./fixtures/calls/kinds.js', './fixtures/calls/kinds', `file://${path.join(__dirname, 'fixtures/calls/kinds.js')}`]) {
      const service = createService(source, { max: 1 });
      expect(await service.add(1, 2)).toBe(3);
      await farmOf(service).close();
    }
  });

  (stripsTypes ? test : test.skip)('runs TypeScript', async () => {
    expect(await openFarm('modules/typed.ts').service.twice(21)).toBe(42);
  });

  (stripsTypes ? test.skip : test)('of a TypeScript module says the ways out where Node does not strip types', async () => {
    const { service } = openFarm('modules/typed.ts');
    const error = await service.twice(21).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_FARM_START', reason: 'load' });
    for (const way of ['strips types', 'tsx', 'compile it']) expect(error.message).toContain(way);
  });

  test('of TypeScript works everywhere with a loader in execArgv', async () => {
    const hook = path.join(__dirname, 'fixtures', 'register-typescript.cjs');
    expect(await openFarm('modules/typed.cts', { execArgv: ['--require', hook] }).service.twice(21)).toBe(42);
  });

  test('many in flight each get their own result', async () => {
    const { service } = openFarm('calls/kinds.js', { max: 2 });
    const calls = Array.from({ length: 5000 }, (_, i) => (i % 2 ? service.add(i, 1) : service.addAsync(i, 1)));
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1));
  });
});

describe('a method name', () => {
  test('that the module does not export is an error with those there are', async () => {
    const farm = openFarm('modules/many.js');
    const error = await farm.service.thrice(1).catch((reason) => reason);
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NO_METHOD', method: 'thrice' });
    expect(error.methods).toEqual(['twice', 'viaThis', 'lazy']);
    expect(error.message).toContain('twice, viaThis, lazy');
    // Neither hooks nor constants nor classes nor what is hidden are methods.
    for (const name of ['setup', 'teardown', 'limit', 'Shape', 'hidden', 'broken']) {
      await expect(farm.run(name, [1])).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD' });
    }
    expect(await farm.service.twice(2)).toBe(4);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then', '__defineGetter__'])('%s reaches no prototype', async (name) => {
    const farm = openFarm('modules/single.js');
    await expect(farm.run(name, [1])).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD', method: name });
  });

  test.each(['then', 'toJSON', 'constructor', 'toString', '__proto__'])('%s is reached by farm.run when it is exported', async (name) => {
    const farm = openFarm('calls/kinds.js');
    expect(await farm.run(name, ['x'])).toMatch(name);
  });

  test('may be any string', async () => {
    const farm = openFarm('calls/kinds.js');
    expect(await farm.service['odd name \u{1F69C}']()).toBe('odd');
    expect(await farm.service.apply(1)).toBe('apply 1');
    const long = 'x'.repeat(100_000);
    await expect(farm.run(long)).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD', method: long });
    await expect(farm.run('\ud800')).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD', method: '\ud800' });
  });
});

describe('farm.run', () => {
  test('refuses what is no call', async () => {
    const farm = openFarm('calls/kinds.js');
    for (const call of [() => farm.run(1), () => farm.run(), () => farm.run('add', 1), () => farm.run('add', [1], { timeOut: 1 }), () => farm.run('add', [1], null)]) {
      await expect(call()).rejects.toMatchObject({ code: 'ERR_FARM_OPTION' });
    }
    expect(farm.stats().workers).toEqual([]);
  });

  test('a trailing function is an argument there and cannot be sent', async () => {
    const farm = openFarm('calls/kinds.js');
    await expect(farm.run('add', [1, () => {}])).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', path: expect.stringContaining('args[1]') });
  });
});

describe('looking at a service', () => {
  test('sends nothing and starts nothing', async () => {
    const farm = openFarm('calls/kinds.js');
    const { service } = farm;
    const spawned = jest.fn();
    farm.on('spawn', spawned);

    util.inspect(service);
    util.inspect({ deep: [service] }, { showHidden: true, depth: 5, showProxy: true });
    util.format('%s %o %O %j', service, service, service, { service });
    JSON.stringify({ service });
    expect(service).toEqual(service);
    expect(service).not.toEqual({});
    expect({ service }).toStrictEqual({ service });
    expect(service).toBeDefined();
    expect(service).not.toHaveProperty('x.y');
    assert.deepStrictEqual({ service }, { service });
    assert.notDeepStrictEqual(service, { add: 1 });
    expect(() => expect(service).toBe(1)).toThrow();
    expect(() => expect({ service }).toMatchObject({ service: { add: 1 } })).toThrow();
    expect(await service).toBe(service);
    expect(await Promise.all([service])).toEqual([service]);
    `${service}`;
    `${String(service)}${service + ''}`;
    Object.keys(service);
    ({ ...service });
    for (const name in service) throw new Error(name);
    structuredCloneRefuses(service);

    await new Promise(setImmediate);
    expect(spawned).not.toHaveBeenCalled();
    expect(farm.stats()).toMatchObject({ workers: [], tasks: { open: 0, waiting: 0, settled: 0 } });
    // And it still works.
    expect(await service.add(1, 2)).toBe(3);
    expect(farm.stats().tasks.settled).toBe(1);
  });
});

/** @param {unknown} value */
function structuredCloneRefuses(value) {
  expect(() => structuredClone(value)).toThrow();
}
