'use strict';

const assert = require('node:assert');
const { roundTrip, clone } = require('./fixtures/round-trip');

/** A small generator of numbers that a seed repeats. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STRINGS = ['', 'a', 'key', 'tags', 'é', '漢字', '🚜', '\ud800', '__proto__', 'constructor', '1', '0', 'toJSON', 'x'.repeat(63), 'ÿ'.repeat(65), 'ж'.repeat(80)];
const NUMBERS = [0, -0, 1, -1, 127, 128, 255, -32768, 32768, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1, NaN, Infinity, 1e300];

function valueOf(pick, depth, pool, plainOnly) {
  const inner = () => valueOf(pick, depth - 1, pool, plainOnly);
  const list = (make) => Array.from({ length: pick(5) }, make);
  const kinds = [
    () => NUMBERS[pick(NUMBERS.length)], () => pick(2 ** 31) - 2 ** 30, () => STRINGS[pick(STRINGS.length)],
    () => null, () => undefined, () => pick(2) === 0, () => new Date(pick(2 ** 31)),
  ];
  if (depth > 0) {
    const object = () => {
      const made = {};
      for (const key of list(() => STRINGS[pick(STRINGS.length)])) {
        Object.defineProperty(made, key, { value: inner(), enumerable: true, writable: true, configurable: true });
      }
      return made;
    };
    kinds.push(object, object, () => list(inner), () => list(() => ({ id: pick(100), name: STRINGS[pick(3)] })));
    if (!plainOnly) {
      kinds.push(
        () => new Map(list(() => [inner(), inner()])), () => new Set(list(inner)), () => BigInt(pick(1000)) ** 9n,
        () => Buffer.from(STRINGS[pick(STRINGS.length)]), () => new Float64Array(list(() => pick(9) / 7)), () => /x/g,
        () => (pool.length > 0 ? pool[pick(pool.length)] : {}), () => Object('boxed'), () => [, pick(3), , ], // eslint-disable-line no-sparse-arrays
      );
    }
  }
  const value = kinds[pick(kinds.length)]();
  if (typeof value === 'object' && value !== null && pick(4) === 0) pool.push(value);
  return value;
}

// structuredClone makes a Uint8Array of a Buffer, which is the one thing farm does otherwise.
function asClone(value, seen = new Map()) {
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => (seen.set(value, copy), copy);
  if (Buffer.isBuffer(value)) return keep(Buffer.from(value));
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [k, v] of value) copy.set(asClone(k, seen), asClone(v, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const v of value) copy.add(asClone(v, seen));
    return copy;
  }
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return keep(clone(value));
  const copy = keep(isArray ? new Array(value.length) : {});
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, { value: asClone(value[key], seen), enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

test.each([1, 2, 3, 4, 5, 6])('random plain values equal their structured clone (seed %i)', (seed) => {
  const pick = random(seed);
  for (let i = 0; i < 400; i++) {
    const value = valueOf(pick, 5, [], true);
    assert.deepStrictEqual(roundTrip(value), clone(value));
  }
});

test.each([7, 8, 9, 10, 11, 12])('random values of all kinds equal their clone (seed %i)', (seed) => {
  const pick = random(seed);
  for (let i = 0; i < 300; i++) {
    const value = valueOf(pick, 4, [], false);
    assert.deepStrictEqual(roundTrip(value), asClone(value));
  }
});
