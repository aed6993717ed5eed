'use strict';

const { FarmError, CODES } = require('../lib/errors');
const { throwTrip } = require('./fixtures/round-trip');

class Custom extends TypeError {
  constructor(message) {
    super(message);
    this.name = 'Custom';
    this.code = 'E_CUSTOM';
    this.extra = { deep: { list: [1, new Map([[1, 2]])] } };
  }
}

function thrownBy(action) {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('a message that the class makes in a getter arrives', () => {
  class Invalid extends Error {
    issues = ['no name', 'no age'];
    get message() {
      return this.issues.join(', ');
    }
  }
  const back = throwTrip(new Invalid());
  expect(back).toMatchObject({ message: 'no name, no age', issues: ['no name', 'no age'] });
  expect(Object.keys(back)).toEqual(['issues']);
  expect(Object.hasOwn(throwTrip(new Error('')), 'message')).toBe(true);
  expect(Object.hasOwn(throwTrip(new Error()), 'message')).toBe(false);
});

test('of an error behind a Proxy with traps that throw arrives what can be read', () => {
  const refuse = () => JSON.parse('?');
  const wrapped = (...traps) => new Proxy(new RangeError('inner'), Object.fromEntries(traps.map((trap) => [trap, refuse])));
  expect(throwTrip(wrapped('getOwnPropertyDescriptor'))).toMatchObject({ message: '' });
  expect(throwTrip(wrapped('ownKeys'))).toMatchObject({ name: 'RangeError', message: 'inner' });
  expect(throwTrip(wrapped('get', 'ownKeys', 'getOwnPropertyDescriptor'))).toBeInstanceOf(RangeError);
});

test.each([Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError])('%p keeps class, message and stack', (Class) => {
  const error = new Class('text');
  const back = throwTrip(error);
  expect(back.constructor).toBe(Class);
  expect(back.message).toBe('text');
  expect(back.name).toBe(error.name);
  expect(back.stack).toBe(error.stack);
  expect(Object.keys(back)).toEqual([]);
  expect(Object.getOwnPropertyDescriptor(back, 'stack')).toMatchObject({ enumerable: false, writable: true });
  expect(Object.getOwnPropertyDescriptor(back, 'message')).toMatchObject({ enumerable: false, writable: true });
});

test('a subclass arrives as the nearest built-in class, with name, code and nested properties', () => {
  const error = new Custom('text');
  const back = throwTrip(error);
  expect(back).toBeInstanceOf(TypeError);
  expect(back).toMatchObject({ name: 'Custom', message: 'text', code: 'E_CUSTOM', extra: { deep: { list: [1, new Map([[1, 2]])] } } });
  expect(back.stack).toBe(error.stack);
});

test('a name on the prototype of a subclass is kept', () => {
  class Named extends RangeError {}
  Named.prototype.name = 'Named';
  const back = throwTrip(new Named('n'));
  expect(back).toBeInstanceOf(RangeError);
  expect(back.name).toBe('Named');
  expect(Object.keys(back)).toEqual([]);
});

test('a class that is registered is used', () => {
  const back = throwTrip(new Custom('text'), { Custom });
  expect(back).toBeInstanceOf(Custom);
  expect(back.extra.deep.list[0]).toBe(1);
});

test('causes are errors, through the whole chain', () => {
  const back = throwTrip(new Error('a', { cause: new Custom('b') }));
  expect(back.cause).toBeInstanceOf(TypeError);
  expect(back.cause.code).toBe('E_CUSTOM');
  expect(Object.keys(back)).toEqual([]);
  expect(throwTrip(new Error('a', { cause: 5 })).cause).toBe(5);
  expect(Object.hasOwn(throwTrip(new Error('a', { cause: undefined })), 'cause')).toBe(true);
  expect(Object.hasOwn(throwTrip(new Error('a')), 'cause')).toBe(false);
});

test('AggregateError keeps message and errors', () => {
  const back = throwTrip(new AggregateError([new Custom('one'), 'two', new Error('three')], 'all'));
  expect(back).toBeInstanceOf(AggregateError);
  expect(back.message).toBe('all');
  expect(back.errors).toHaveLength(3);
  expect(back.errors[0]).toMatchObject({ message: 'one', code: 'E_CUSTOM' });
  expect(back.errors[1]).toBe('two');
  expect(back.errors[2]).toBeInstanceOf(Error);
  expect(Object.keys(back)).toEqual([]);
});

test('DOMException keeps name, message and code', () => {
  const back = throwTrip(new DOMException('stopped', 'AbortError'));
  expect(back).toBeInstanceOf(DOMException);
  expect(back).toMatchObject({ name: 'AbortError', message: 'stopped', code: 20 });
  const abort = thrownBy(() => AbortSignal.abort().throwIfAborted());
  expect(throwTrip(abort)).toMatchObject({ name: 'AbortError', message: abort.message });
});

test('system errors of Node keep code, errno, syscall and path', () => {
  const error = thrownBy(() => require('node:fs').readFileSync('/there/is/no/such/file'));
  expect(throwTrip(error)).toMatchObject({ code: 'ENOENT', errno: error.errno, syscall: 'open', path: '/there/is/no/such/file' });
  const wrong = thrownBy(() => Buffer.alloc('x'));
  const back = throwTrip(wrong);
  expect(back).toBeInstanceOf(TypeError);
  expect(back).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError', message: wrong.message });
});

test.each([['a string', 'text'], ['undefined', undefined], ['null', null], ['a number', -0], ['a BigInt', 5n], ['false', false]])(
  '%s that is thrown arrives as it is', (_, thrown) => expect(throwTrip(thrown)).toBe(thrown),
);

test('a plain object that is thrown arrives as one', () => {
  expect(throwTrip({ message: 'm', list: new Set([1]) })).toStrictEqual({ message: 'm', list: new Set([1]) });
});

test.each([['a symbol', Symbol('s'), 'Symbol(s)'], ['a function', function f() {}, 'function f'], ['an object with a function', { f() {} }, '[object Object]']])(
  '%s that is thrown is described', (_, thrown, text) => {
    const back = throwTrip(thrown);
    expect(back).toBeInstanceOf(FarmError);
    expect(back.code).toBe('ERR_FARM_NOT_CLONEABLE');
    expect(back.message).toContain(text);
  },
);

test('cycles of errors', () => {
  const error = new Error('a');
  const other = new Error('b', { cause: error });
  Object.assign(error, { self: error, other, list: [error, 1] });
  const back = throwTrip(error);
  expect(back.self).toBe(back);
  expect(back.other.cause).toBe(back);
  expect(back.list[0]).toBe(back);
  expect(back.list[1]).toBe(1);
});

test('a property that cannot be encoded is dropped, the error still arrives', () => {
  const error = Object.assign(new Custom('text'), { f() {}, [Symbol('s')]: 1, inner: { f() {} }, memory: new SharedArrayBuffer(1), later: Promise.resolve(), good: 1 });
  Object.defineProperty(error, 'bad', { enumerable: true, get() { throw new Error('getter'); } });
  const back = throwTrip(error);
  expect(Object.keys(back).sort()).toEqual(['code', 'extra', 'good', 'name']);
  expect(back.message).toBe('text');
});

test('hostile errors still arrive', () => {
  const error = new Error('text');
  for (const key of ['stack', 'message', 'name', 'cause', 'constructor']) {
    Object.defineProperty(error, key, { get() { throw new Error('getter'); } });
  }
  expect(throwTrip(error)).toBeInstanceOf(Error);
  const proxy = new Proxy(new Error('p'), { get() { throw new Error('trap'); }, ownKeys() { throw new Error('trap'); }, getPrototypeOf() { throw new Error('trap'); } });
  expect(() => throwTrip(proxy)).not.toThrow();
  const strange = Object.assign(new Error('m'), { stack: 5, name: { a: 1 } });
  expect(throwTrip(strange).name).toEqual({ a: 1 });
});

test('an endless chain of causes is bounded', () => {
  let error = new Error('last');
  for (let i = 0; i < 20_000; i++) error = new Error(`e${i}`, { cause: error });
  let back = throwTrip(error);
  expect(back.message).toBe('e19999');
  let depth = 0;
  for (; back.cause !== undefined; back = back.cause) depth++;
  expect(depth).toBeGreaterThan(100);
  expect(depth).toBeLessThan(2000);
});

test('errors of another realm are errors', () => {
  const foreign = require('node:vm').runInNewContext('Object.assign(new TypeError("far"), { code: 1 })');
  const back = throwTrip(foreign);
  expect(back).toBeInstanceOf(TypeError);
  expect(back).toMatchObject({ message: 'far', code: 1 });
});

test('an error thrown in an error property of a value', () => {
  const error = Object.assign(new Error('outer'), { details: { response: { status: 500, data: Buffer.from('x') } } });
  const back = throwTrip(error);
  expect(back.details.response.status).toBe(500);
  expect(Buffer.isBuffer(back.details.response.data)).toBe(true);
});

describe('FarmError', () => {
  test('carries code, details and cause', () => {
    const error = new FarmError('ERR_FARM_WORKER_EXIT', 'gone', { exitCode: 3, cause: undefined });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_WORKER_EXIT', exitCode: 3 });
    expect(Object.keys(error)).toEqual(['code', 'exitCode']);
    expect(Object.hasOwn(error, 'cause')).toBe(true);
    expect(String(error)).toBe('FarmError: gone');
  });

  test('crosses processes as a FarmError', () => {
    const back = throwTrip(new FarmError('ERR_FARM_NO_METHOD', 'no', { methods: ['a'], cause: new TypeError('t') }));
    expect(back).toBeInstanceOf(FarmError);
    expect(back).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NO_METHOD', methods: ['a'] });
    expect(back.cause).toBeInstanceOf(TypeError);
  });

  test('every code has its meaning', () => {
    for (const [code, meaning] of Object.entries(CODES)) {
      expect(code).toMatch(/^ERR_FARM_[A-Z_]+$/);
      expect(meaning.length).toBeGreaterThan(10);
    }
  });
});
