'use strict';

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const util = require('node:util');
const { serviceOf, farmOf } = require('../lib/service-proxy');

const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** A farm that only notes what reaches it. */
class FakeFarm {
  /** @param {(method: string, args: any[]) => any} [answer] */
  constructor(answer = () => undefined) {
    this.answer = answer;
    this.sent = [];
    this.closed = 0;
  }

  submit(method, args, options) {
    this.sent.push([method, args, options]);
    return (async () => this.answer(method, args))();
  }

  async close() {
    this.closed++;
  }
}

function make(answer) {
  const farm = new FakeFarm(answer);
  return { farm, service: serviceOf(farm, 'worker.js') };
}

describe('a call', () => {
  test('sends the method, its arguments and no options, and returns the promise', async () => {
    const { farm, service } = make((method, args) => [method, ...args]);
    expect(await service.add(1, 'two', undefined)).toEqual(['add', 1, 'two', undefined]);
    expect(await service.none()).toEqual(['none']);
    expect(farm.sent).toEqual([
      ['add', [1, 'two', undefined], null],
      ['none', [], null],
    ]);
  });

  test('of the service itself is the method with the empty name', async () => {
    const { farm, service } = make();
    await service(7);
    expect(farm.sent).toEqual([['', [7], null]]);
  });

  test('reaches names of Function.prototype that a worker may well export', async () => {
    const { farm, service } = make();
    await Promise.all([service.apply(1), service.call(2), service.bind(3), service.request(4), service.default(5), service.catch(6)]);
    expect(farm.sent.map(([method]) => method)).toEqual(['apply', 'call', 'bind', 'request', 'default', 'catch']);
  });

  test('rejects as the farm rejects', async () => {
    const { service } = make(() => {
      throw new RangeError('too far');
    });
    await expect(service.jump()).rejects.toThrow(RangeError);
  });

  test('works without its service as `this`, and each name gives the same function', async () => {
    const { farm, service } = make();
    const { add } = service;
    await add(1);
    await Promise.all([2, 3].map(service.add));
    expect(service.add).toBe(add);
    expect(service.add).not.toBe(service.sub);
    expect(add.name).toBe('add');
    expect(farm.sent).toHaveLength(3);
  });

  test('may have any name, also that of an integer', async () => {
    const { farm, service } = make();
    await service['a b']();
    await service[0]();
    expect(farm.sent.map(([method]) => method)).toEqual(['a b', '0']);
  });
});

describe('a callback', () => {
  test('as last argument takes the result', (done) => {
    const { farm, service } = make((_, [a, b]) => a + b);
    const returned = service.add(1, 2, (error, sum) => {
      expect([error, sum]).toEqual([null, 3]);
      expect(farm.sent).toEqual([['add', [1, 2], null]]);
      done();
    });
    expect(returned).toBeUndefined();
  });

  test('takes the error, and no rejection is left unhandled', (done) => {
    const { service } = make(() => {
      throw new Error('no');
    });
    service((error, ...rest) => {
      expect(error.message).toBe('no');
      expect(rest).toEqual([]);
      done();
    });
  });

  test('can tell a thrown undefined from success', (done) => {
    const { service } = make(() => {
      throw undefined;
    });
    service.fail((error) => {
      expect(error).toMatchObject({ code: 'ERR_FALSY_VALUE_REJECTION', reason: undefined });
      done();
    });
  });

  test('runs in the context of its caller', (done) => {
    const { service } = make();
    const storage = new AsyncLocalStorage();
    storage.run('request 7', () => {
      service.add(1, () => {
        expect(storage.getStore()).toBe('request 7');
        done();
      });
    });
  });

  test('that throws is an uncaught exception, as anywhere in Node', () => {
    const program = `
      const { serviceOf } = require('./lib/service-proxy');
      process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
      const service = serviceOf({ submit: async () => 1 });
      service.add(() => { throw new Error('from the callback') });
    `;
    const output = execFileSync(process.execPath, ['-e', program], { cwd: path.dirname(__dirname), encoding: 'utf8' });
    expect(output.trim()).toBe('uncaughtException from the callback');
  });
});

describe('looking at a service sends nothing', () => {
  const looks = {
    await: async (service) => await service,
    'Promise.resolve': (service) => Promise.resolve(service),
    'return from an async function': async (service) => (async () => service)(),
    typeof: (service) => typeof service,
    in: (service) => ['then', 'add'].map((name) => name in service),
    'Object.keys': (service) => expect(Object.keys(service)).toEqual([]),
    'for in': (service) => {
      const names = [];
      // eslint-disable-next-line guard-for-in
      for (const name in service) names.push(name);
      expect(names).toEqual([]);
    },
    spread: (service) => expect({ ...service }).toEqual({}),
    'iterable spread': (service) => expect(() => [...service]).toThrow(TypeError),
    'JSON.stringify': (service) => expect(JSON.stringify({ service, list: [service] })).toBe('{"list":[null]}'),
    String: (service) => expect([String(service), `${service}`, '' + service]).toEqual(Array(3).fill('[farm service worker.js]')),
    Number: (service) => expect(Number(service)).toBeNaN(),
    'util.inspect': (service) => expect(util.inspect({ service })).toBe('{ service: [farm service worker.js] }'),
    'util.inspect with every option': (service) =>
      util.inspect(service, { showHidden: true, showProxy: true, depth: null, customInspect: false, getters: true, sorted: true }),
    'util.format': (service) => util.format('%s %o %O %j %d %i %f', ...Array(7).fill(service)),
    'util.types': (service) => Object.values(util.types).forEach((check) => typeof check === 'function' && check(service)),
    'assert.deepStrictEqual': (service) => {
      assert.deepStrictEqual({ service }, { service });
      assert.throws(() => assert.deepStrictEqual({ service }, { service: make().service }), assert.AssertionError);
      assert.throws(() => assert.deepEqual(service, {}), assert.AssertionError);
    },
    'util.isDeepStrictEqual': (service) => util.isDeepStrictEqual(service, () => {}),
    structuredClone: (service) => expect(() => structuredClone(service)).toThrow(/could not be cloned/),
    instanceof: (service) => [service instanceof Function, service instanceof Promise, service instanceof Error],
    'Object.prototype methods': (service) => [service.hasOwnProperty('x'), Object.prototype.toString.call(service), service.valueOf(), service.toString()],
    'descriptors and prototypes': (service) => [
      Object.getOwnPropertyDescriptors(service),
      Reflect.ownKeys(service),
      Object.getPrototypeOf(service),
      Object.isExtensible(service),
    ],
    'reading what functions have': (service) => [service.name, service.length, service.prototype, service.caller, service.arguments, service.constructor.name],
    'well-known symbols': (service) =>
      Reflect.ownKeys(Symbol)
        .map((name) => Symbol[name])
        .filter((symbol) => typeof symbol === 'symbol' && symbol !== ASYNC_DISPOSE)
        .map((symbol) => service[symbol]),
    'Jest: toEqual': (service) => {
      expect({ service }).toEqual({ service });
      expect(service).not.toEqual({});
      expect({}).not.toEqual(service);
      expect(service).not.toEqual(make().service);
      expect(service).not.toStrictEqual(() => {});
    },
    'Jest: messages of failed matchers': (service) => {
      const failing = [
        () => expect(service).toBe(1),
        () => expect(service).toEqual({ a: 1 }),
        () => expect({ service }).toStrictEqual({ service: 1 }),
        () => expect(service).toMatchObject({ a: 1 }),
        () => expect([service]).toContainEqual({}),
        () => expect(service).toHaveProperty('deep.path', 1),
        () => expect(service).toBeInstanceOf(Map),
        () => expect(service).toHaveBeenCalled(),
        () => expect(service).toHaveLength(3),
        () => expect(service).toBeNull(),
        () => expect(1).toEqual(service),
      ];
      failing.forEach((act) => expect(act).toThrow());
    },
    'Jest: asymmetric matchers': (service) => {
      expect({ service }).toEqual({ service: expect.any(Function) });
      expect({ service }).toEqual({ service: expect.anything() });
      expect({ service }).not.toEqual({ service: expect.objectContaining({ b: 1 }) });
    },
    'Jest: a mock that was called with it': (service) => {
      const mock = jest.fn();
      mock(service);
      expect(mock).toHaveBeenCalledWith(service);
      expect(() => expect(mock).toHaveBeenCalledWith(1)).toThrow();
    },
  };

  test.each(Object.keys(looks))('%s', async (name) => {
    const { farm, service } = make();
    await looks[name](service);
    await new Promise((resolve) => setImmediate(resolve));
    expect(farm.sent).toEqual([]);
    expect(farm.closed).toBe(0);
  });

  test('what printers take for a sign of another type is not there', () => {
    const { service } = make();
    for (const name of ['then', 'toJSON', 'inspect', 'asymmetricMatch', '$$typeof', 'nodeType', 'hasAttribute', '@@__IMMUTABLE_RECORD__@@', '__esModule']) {
      expect([name, service[name]]).toEqual([name, undefined]);
    }
  });

  test('also after its methods were used', async () => {
    const { farm, service } = make();
    await service.add();
    expect(await service).toBe(service);
    expect(Object.keys(service)).toEqual([]);
    expect(util.inspect(service)).toBe('[farm service worker.js]');
    expect(farm.sent).toHaveLength(1);
  });
});

describe('a service', () => {
  test('leads to its farm and to no other', () => {
    const { farm, service } = make();
    expect(farmOf(service)).toBe(farm);
    expect([farmOf(undefined), farmOf(null), farmOf({}), farmOf(() => {}), farmOf(service.add)]).toEqual(Array(5).fill(undefined));
  });

  test('closes its farm when it is disposed of', async () => {
    const { farm, service } = make();
    await service[ASYNC_DISPOSE]();
    expect(farm.closed).toBe(1);
    expect(farm.sent).toEqual([]);
  });

  test('can be mocked like any object of functions, and restored', async () => {
    const { farm, service } = make(() => 'real');
    const spy = jest.spyOn(service, 'add').mockResolvedValue('mocked');
    expect(await service.add(1)).toBe('mocked');
    expect(farm.sent).toEqual([]);
    spy.mockRestore();
    expect(await service.add(1)).toBe('real');
    service.sub = async () => 'assigned';
    expect(await service.sub()).toBe('assigned');
    delete service.sub;
    expect(await service.sub()).toBe('real');
  });

  test('as prototype of another object keeps its methods to itself', async () => {
    const { farm, service } = make();
    const heir = Object.create(service);
    await heir.add(1);
    expect(Object.getOwnPropertyNames(heir)).toEqual([]);
    expect(farm.sent).toEqual([['add', [1], null]]);
  });

  test('can come from the farm class of lib/farm', () => {
    jest.isolateModules(() => {
      const made = [];
      jest.doMock('../lib/farm', () => ({
        WorkerFarm: class {
          constructor(...args) {
            made.push(args);
            this.service = serviceOf(new FakeFarm());
          }
        },
      }), { virtual: true });
      const { createService } = require('../lib/service');
      const service = createService('worker.js', { max: 1 });
      expect(typeof service).toBe('function');
      expect(made).toEqual([['worker.js', { max: 1 }]]);
    });
  });
});
