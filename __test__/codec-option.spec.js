'use strict';

const v8 = require('node:v8');
const codec = require('../lib/codec');
const { roundTrip } = require('./fixtures/round-trip');

test('default', () => {
  const chosen = codec.makeCodec();
  expect(chosen.encode).toBe(codec.encode);
  expect(codec.makeCodec('default').decode).toBe(codec.decode);
});

describe('json', () => {
  const json = codec.makeCodec('json');

  test('carries what JSON carries, in the form JSON gives it', () => {
    expect(roundTrip({ a: [1, 'ü', null], at: new Date(0), gone: undefined, n: NaN }, json)).toEqual({ a: [1, 'ü', null], at: '1970-01-01T00:00:00.000Z', n: null });
    expect(json.encode([1]).kind).toBe(codec.KIND.JSON);
    expect(roundTrip(undefined, json)).toBeUndefined();
  });

  test('refuses BigInt, cycles and functions', () => {
    const cycle = {};
    cycle.self = cycle;
    for (const value of [{ a: 1n }, cycle, () => {}]) {
      expect(() => json.encode(value)).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE' }));
    }
  });

  test('what is no JSON is an error', () => {
    expect(() => json.decode(codec.KIND.JSON, Buffer.from('{'), 0, 1, null)).toThrow(expect.objectContaining({ code: 'ERR_FARM_BAD_DATA' }));
  });
});

describe('functions of the user', () => {
  const own = codec.makeCodec({ encode: (value) => v8.serialize(value), decode: (bytes) => v8.deserialize(bytes) });

  test('carry small and large values, undefined too', () => {
    const large = 'x'.repeat(100_000);
    expect(roundTrip([1, 'two', { three: 3 }], own)).toEqual([1, 'two', { three: 3 }]);
    expect(roundTrip(large, own)).toBe(large);
    expect(roundTrip(undefined, own)).toBeUndefined();
    expect(own.encode(large).attachments).toHaveLength(1);
  });

  test('may keep the bytes they are given', () => {
    const keeping = codec.makeCodec({ encode: (text) => new TextEncoder().encode(text), decode: (bytes) => bytes });
    expect(Buffer.from(roundTrip('hello', keeping)).toString()).toBe('hello');
  });

  test('their errors come through', () => {
    const failing = codec.makeCodec({ encode() { throw new RangeError('mine'); }, decode() { throw new RangeError('mine too'); } });
    expect(() => failing.encode(1)).toThrow('mine');
    expect(() => failing.decode(codec.KIND.CUSTOM, Buffer.alloc(1), 0, 1, null)).toThrow('mine too');
  });

  test('have to return bytes', () => {
    expect(() => codec.makeCodec({ encode: () => 'text', decode() {} }).encode(1)).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE' }));
  });
});

test.each([['xml'], [null], [5], [{ encode() {} }]])('%p is refused', (option) => {
  expect(() => codec.makeCodec(option)).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION' }));
});
