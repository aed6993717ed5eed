'use strict';

const assert = require('node:assert');
const codec = require('../lib/codec');
const { roundTrip, clone } = require('./fixtures/round-trip');

const { PLAIN, CLONE, UNDEFINED } = codec.KIND;

class Point {
  constructor() {
    this.x = 1;
  }

  get sum() {
    return this.x;
  }
}

/** name: [value, the encoding that carries it] */
const carried = {
  'undefined alone': [undefined, UNDEFINED],
  null: [null, PLAIN],
  'undefined inside': [{ a: undefined, b: [undefined] }, PLAIN],
  booleans: [[true, false], PLAIN],
  integers: [[0, 1, 127, 128, -1, -128, 255, 256, 32767, 32768, -32768, -32769, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1], PLAIN],
  'large numbers': [[2 ** 32, 2 ** 53, -(2 ** 53), Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity], PLAIN],
  'NaN and -0': [[NaN, -0, 0, { z: -0 }], PLAIN],
  strings: [['', 'a', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(70_000)], PLAIN],
  'strings beyond one byte': [['é', 'ÿ', 'Ā', '漢字', '🚜', '漢'.repeat(100), 'é'.repeat(30_000), '🚜'.repeat(30_000)], PLAIN],
  'lone surrogates': [['\ud800', 'a\udfff', '\ud83d'.repeat(100), { '\ud800': 1 }], PLAIN],
  'odd keys': [{ '': 1, 2: 2, 1: 1, 'a b': 3, '"': 4, '\u2028': 5, constructor: 6, hasOwnProperty: 7, toString: 8 }, PLAIN],
  '__proto__ as own key': [JSON.parse('[{"__proto__":1},{"__proto__":{"a":1},"b":2}]'), PLAIN],
  'own toJSON-like data': [{ toJSON: 'text' }, PLAIN],
  'many keys': [Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`k${i}`, i])), PLAIN],
  'many shapes': [Array.from({ length: 300 }, (_, i) => ({ [`k${i}`]: i, same: 1 })), PLAIN],
  'empty containers': [[{}, [], [[]], { a: {} }], PLAIN],
  dates: [[new Date(0), new Date(1.5e12), new Date(-1), new Date(8.64e15)], PLAIN],
  records: [Array.from({ length: 200 }, (_, id) => ({ id, name: `n${id}`, tags: ['a', 'b'], at: { x: id / 3 } })), PLAIN],
  holes: [[1, , 3, , ], CLONE],
  'a sparse array': [Object.assign([], { 1_000_000: 1 }), CLONE],
  'a match of a regular expression': ['xay'.match(/a/), CLONE],
  BigInt: [[0n, -1n, 2n ** 64n, 10n ** 40n], CLONE],
  'boxed primitives': [[Object(1), Object('s'), Object(true), Object(1n), Object(-0)], CLONE],
  Map: [new Map([[1, 'a'], [{ k: 1 }, new Map()]]), CLONE],
  Set: [new Set([1, 'a', { k: 1 }, new Set()]), CLONE],
  RegExp: [/a(b)?/giu, CLONE],
  ArrayBuffer: [new Uint8Array([1, 2, 3]).buffer, CLONE],
  'typed arrays': [[
    new Uint8Array([1, 255]), new Int8Array([-1]), new Uint8ClampedArray([7]), new Uint16Array([65535]), new Int16Array([-2]),
    new Uint32Array([2 ** 32 - 1]), new Int32Array([-3]), new Float32Array([1.5]), new Float64Array([Math.PI]),
    new BigInt64Array([-1n]), new BigUint64Array([2n ** 64n - 1n]), new Uint8Array(0),
  ], CLONE],
  DataView: [new DataView(new Uint8Array([9, 8, 7]).buffer), CLONE],
  'an Error inside': [{ error: new TypeError('t') }, CLONE],
};

test.each(Object.entries(carried))('carries %s as structured clone does', (_, [value, kind]) => {
  expect(codec.encode(value).kind).toBe(kind);
  assert.deepStrictEqual(roundTrip(value), clone(value));
  assert.deepStrictEqual(roundTrip(['method', value]), ['method', clone(value)]);
});

test('carries an invalid Date', () => {
  expect(roundTrip(new Date(NaN))).toBeInstanceOf(Date);
  expect(roundTrip([new Date(NaN)])[0].getTime()).toBeNaN();
});

test('carries Buffer as Buffer, of any size, alone and inside', () => {
  for (const size of [0, 1, 100, 65_535, 65_536, 1 << 20]) {
    const buffer = Buffer.alloc(size, 'farm');
    const back = roundTrip({ buffer }).buffer;
    expect(Buffer.isBuffer(back)).toBe(true);
    expect(back.equals(buffer)).toBe(true);
    expect(Buffer.isBuffer(roundTrip(buffer))).toBe(true);
  }
});

test('takes binary of 64 KiB and more out of band, without copying it', () => {
  const memory = new ArrayBuffer(1 << 17);
  const value = { buffer: Buffer.alloc(65_536), array: new Float64Array(8192), memory, view: new Uint8Array(memory), small: Buffer.alloc(65_535) };
  const { attachments, end, start } = codec.encode(value);
  expect(attachments.map((view) => view.byteLength).sort()).toEqual([1 << 17, 65_536, 65_536]);
  expect(attachments.some((view) => view.buffer === memory)).toBe(true);
  expect(end - start).toBeLessThan(67_000);
  const back = roundTrip(value);
  expect(back.view.buffer).toBe(back.memory);
  expect(back.array).toHaveLength(8192);
});

test('sends only the part of a buffer that a view shows', () => {
  const window = new Uint16Array(new ArrayBuffer(1 << 20), 1000, 5).fill(513);
  const { end, start, attachments } = codec.encode(window);
  expect(end - start).toBeLessThan(100);
  expect(attachments).toBeNull();
  expect([...roundTrip(window)]).toEqual([513, 513, 513, 513, 513]);
  const large = new Uint8Array(new ArrayBuffer(1 << 20), 3, 70_000).fill(5);
  const back = roundTrip(large);
  expect([back.length, back[0], back[69_999]]).toEqual([70_000, 5, 5]);
});

test('keeps cycles and shared references', () => {
  const shared = { a: 1 };
  const value = { one: shared, two: shared, list: [shared] };
  value.self = value;
  const back = roundTrip(value);
  expect(back.self).toBe(back);
  expect(back.two).toBe(back.one);
  expect(back.list[0]).toBe(back.one);
  const [one, two] = roundTrip([shared, shared]);
  expect(two).toBe(one);
  const bytes = new Uint8Array(4);
  const [first, second] = roundTrip([bytes, new Uint8Array(bytes.buffer)]);
  expect(second.buffer).toBe(first.buffer);
});

test('notices a second reference wherever it is', () => {
  const records = () => Array.from({ length: 300 }, (_, id) => ({ id, tags: ['t'] }));
  expect(codec.encode(records()).kind).toBe(PLAIN);
  for (const [from, to] of [[0, 1], [3, 299], [5, 6], [298, 299]]) {
    const list = records();
    list[to].other = list[from].tags;
    const back = roundTrip(list);
    expect(back[to].other).toBe(back[from].tags);
  }
});

test('a class instance arrives as a plain object, an object without prototype as one with', () => {
  expect(roundTrip(new Point())).toStrictEqual({ x: 1 });
  expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
});

test('reads getters, ignores symbol keys and what is not enumerable', () => {
  const value = { get a() { return 5; }, [Symbol('s')]: 1 };
  Object.defineProperty(value, 'hidden', { value: 1 });
  expect(Reflect.ownKeys(roundTrip(value))).toEqual(['a']);
  expect(roundTrip(value).a).toBe(5);
});

test('the objects are of this realm', () => {
  const back = roundTrip({ map: new Map([[{}, new Set([[]])]]), date: new Date(0), re: /a/, error: new RangeError('r'), n: Object(1), buffer: new ArrayBuffer(1) });
  expect(back).toBeInstanceOf(Object);
  expect(back.map).toBeInstanceOf(Map);
  const [[key, set]] = back.map;
  expect(key).toBeInstanceOf(Object);
  expect(set).toBeInstanceOf(Set);
  expect([...set][0]).toBeInstanceOf(Array);
  expect(back.date).toBeInstanceOf(Date);
  expect(back.re).toBeInstanceOf(RegExp);
  expect(back.error).toBeInstanceOf(RangeError);
  expect(back.n).toBeInstanceOf(Number);
  expect(back.buffer).toBeInstanceOf(ArrayBuffer);
});

test('where farm differs from structured clone', () => {
  const memory = new ArrayBuffer(16);
  const [left, right] = roundTrip([new Uint8Array(memory, 0, 8), new Uint8Array(memory, 4, 8)]);
  expect(left.buffer).not.toBe(right.buffer);
  expect(roundTrip(Object.assign([1], { extra: 2 }))).toEqual([1]);
  expect(roundTrip((function args() { return arguments; })(1, 2))).toEqual({ 0: 1, 1: 2 }); // eslint-disable-line prefer-rest-params
  const fixed = roundTrip(new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }), 0, 4));
  fixed.buffer.resize(8);
  expect(fixed).toHaveLength(8);
});

test('what is added to all objects does not travel', () => {
  // eslint-disable-next-line no-extend-native
  Object.prototype.everywhere = 1;
  try {
    expect(Object.keys(roundTrip({ a: 1 }))).toEqual(['a']);
  } finally {
    delete Object.prototype.everywhere;
  }
});

test('values nested deeper than the stack allows are refused, others are carried', () => {
  const nest = (depth) => {
    let value = [];
    for (let i = 0; i < depth; i++) value = [value];
    return value;
  };
  let back = roundTrip(nest(1000));
  let depth = 0;
  for (; back.length > 0; [back] = back) depth++;
  expect(depth).toBe(1000);
  expect(() => codec.encode(nest(1_000_000))).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE' }));
});

test('messages stand alone: any decoder reads any message in any order', () => {
  const values = Array.from({ length: 3000 }, (_, i) => ({ [`key${i % 1700}`]: i, b: [{ [`x${i}`]: 1 }, { b: i }] }));
  const messages = values.map((value) => {
    const { kind, bytes, start, end } = codec.encode(value);
    return [kind, Buffer.from(bytes.subarray(start, end))];
  });
  jest.isolateModules(() => {
    const stranger = require('../lib/codec');
    for (let i = messages.length - 1; i >= 0; i -= 7) {
      const [kind, bytes] = messages[i];
      expect(stranger.decode(kind, bytes, 0, bytes.length, null)).toEqual(values[i]);
    }
  });
});

test('shapes that look alike and keys that are special, many times over', () => {
  const value = Array.from({ length: 200 }, (_, i) => [{ Aa: i }, { BB: -i }, JSON.parse(`{"__proto__":${i},"b":1}`), { '': i, '"]': 1 }]);
  const back = roundTrip(value);
  assert.deepStrictEqual(back, clone(value));
  expect(Object.getPrototypeOf(back[150][2])).toBe(Object.prototype);
  assert.deepStrictEqual(roundTrip(value), back);
});

test('a getter may encode another value', () => {
  const inner = [];
  const value = {
    before: { a: 1 },
    get nested() {
      inner.push(roundTrip({ a: 2, list: ['y'.repeat(100_000)], before: { a: 3 } }));
      return { a: 4 };
    },
    after: { a: 5 },
  };
  expect(roundTrip([value, 'end'])).toEqual([{ before: { a: 1 }, nested: { a: 4 }, after: { a: 5 } }, 'end']);
  expect(inner[0].before).toEqual({ a: 3 });
});

test('a getter may change the object it belongs to', () => {
  const value = { get a() { delete this.c; return 1; }, b: 2, c: 3 };
  expect(roundTrip([value])).toEqual([{ a: 1, b: 2 }]);
  const list = [{ get a() { list.length = 1; return 1; } }, 2, 3];
  expect(roundTrip(list)[0]).toEqual({ a: 1 });
});

test('large and small messages by turns', () => {
  const large = Array.from({ length: 20_000 }, (_, i) => `text number ${i}`);
  for (let i = 0; i < 250; i++) {
    if (i % 120 === 0) expect(roundTrip(large)).toEqual(large);
    expect(roundTrip(['small', i])).toEqual(['small', i]);
  }
});
