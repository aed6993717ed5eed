'use strict';

const codec = require('../lib/codec');
const { roundTrip } = require('./fixtures/round-trip');

function refusal(value, root) {
  try {
    codec.encode(value, root);
  } catch (error) {
    return error;
  }
  return undefined;
}

const detached = () => {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
};

test.each([
  ['a function', { user: { onClick() {} } }, 'value.user.onClick', 'is a function'],
  ['a function in an array', [1, [() => {}]], 'value[1][0]', 'is a function'],
  ['a symbol', { 'odd key': Symbol('s') }, 'value["odd key"]', 'is a symbol, Symbol(s)'],
  ['a Promise', { later: Promise.resolve() }, 'value.later', 'is a Promise'],
  ['a WeakMap', [new WeakMap()], 'value[0]', 'is a WeakMap'],
  ['a WeakRef', [new WeakRef({})], 'value[0]', 'is a WeakRef'],
  ['a SharedArrayBuffer', { s: new SharedArrayBuffer(8) }, 'value.s', 'is a SharedArrayBuffer'],
  ['a detached ArrayBuffer', { b: detached().buffer }, 'value.b', 'is a detached ArrayBuffer'],
  ['a view on one', { s: new Uint8Array(new SharedArrayBuffer(8)) }, 'value.s', 'shared or detached'],
  ['a detached view', { s: detached() }, 'value.s', 'shared or detached'],
  ['a Proxy', { p: new Proxy({}, {}) }, 'value.p', 'is a Proxy'],
  ['a Proxy of an array', { p: new Proxy([], {}) }, 'value.p', 'is a Proxy'],
  ['a generator', { g: (function* g() {})() }, 'value.g', 'is a Generator'],
  ['a function in a Map', { m: new Map([['k', { f() {} }]]) }, 'value.m.get("k").f', 'is a function'],
  ['a symbol in a Set', new Set([1, Symbol('x')]), 'value.values()[1]', 'is a symbol'],
  ['a function in a class instance', new (class A { f = () => {}; })(), 'value.f', 'is a function'],
  ['a getter that throws', { get x() { throw new Error('no'); } }, 'value.x', 'is a getter that throws'],
])('%s is refused with its path', (_, value, path, text) => {
  const error = refusal(value);
  expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NOT_CLONEABLE', path });
  expect(error.message).toContain(path);
  expect(error.message).toContain(text);
});

test('names the argument of a task', () => {
  expect(refusal(['render', 1, { user: { onClick() {} } }], 'task').message).toMatch(/^args\[1\]\.user\.onClick is a function/);
  expect(refusal(() => {}, 'the result').message).toMatch(/^the result is a function/);
});

test('the error of a getter is the cause', () => {
  const cause = new Error('no');
  expect(refusal({ get x() { throw cause; } }).cause).toBe(cause);
});

test('finds the culprit behind a cycle and in a large value', () => {
  const value = { list: Array.from({ length: 50_000 }, (_, i) => ({ i })) };
  value.self = value;
  value.list[40_000].f = () => {};
  expect(refusal(value).path).toBe('value.list[40000].f');
});

test('leaves nothing broken behind', () => {
  const good = { a: [1, { b: 2 }], c: { b: 3 } };
  for (const bad of [{ b: 1, f() {} }, [{ a: [], c: Symbol('s') }], { b: { get b() { throw new Error('no'); } } }]) {
    expect(refusal(bad)).toBeDefined();
    expect(roundTrip(good)).toEqual(good);
    expect(roundTrip(new Map([[1, good]]))).toEqual(new Map([[1, good]]));
  }
});

test('of process.env it says how it can be sent', () => {
  // That of Jest is a plain object.
  const program = `try { require(${JSON.stringify(require.resolve('../lib/codec'))}).encode({ env: process.env }) } catch (error) { console.log(error.message) }`;
  const said = require('node:child_process').execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect(said).toContain('value.env is process.env, which is no plain object as its copy { ...process.env } is. ');
});
