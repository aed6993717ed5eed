'use strict';

const codec = require('../lib/codec');
const { same } = require('./fixtures/codecs/same');
const { clone, roundTrip } = require('./fixtures/round-trip');

/** Numbers that a seed repeats. @param {number} seed */
function random(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Where strings, texts and tables of the encoding change their form, and one on either side. */
const LENGTHS = [0, 1, 12, 13, 14, 24, 25, 31, 32, 48, 49, 253, 254, 255, 256, 2047, 2048, 2049, 16383, 16384, 16385, 20_001];
const SIGNS = ['a', 'é', 'ÿ', 'Ā', '漢', '🚜', '\ud800', '\0', '"', '\u2028'];
const KEYS = ['a', 'b', '0', '1', '10', '01', '-1', '4294967294', '4294967295', '__proto__', 'constructor', 'toString', 'length', 'é', '\ud800', ''];

function makeString(pick) {
  const text = SIGNS[pick(3)].repeat(LENGTHS[pick(pick(8) === 0 ? LENGTHS.length : 12)]);
  const at = pick(text.length + 1);
  return pick(2) === 0 ? text : text.slice(0, at) + SIGNS[pick(SIGNS.length)] + text.slice(at);
}

function makeView(pick) {
  const Class = [Uint8Array, Int16Array, Float32Array, Float64Array, BigInt64Array, DataView][pick(6)];
  const unit = Class.BYTES_PER_ELEMENT ?? 1;
  const buffer = Uint8Array.from({ length: 8 * unit }, () => pick(256)).buffer;
  return new Class(buffer.slice(0, unit * (1 + pick(8))));
}

function makeValue(pick, depth, made) {
  const inner = () => makeValue(pick, depth - 1, made);
  const list = (most, make) => Array.from({ length: pick(most) }, make);
  const keep = (value) => (made.push(value), value);
  const leaf = () => makeValue(pick, 0, made);
  const object = (keys, make = inner) => {
    const value = keep({});
    for (const key of keys) Object.defineProperty(value, key, { value: make(), enumerable: true, writable: true, configurable: true });
    return value;
  };
  const flat = [() => pick(2 ** 32) - 2 ** 31, () => [-0, NaN, 0.1, 127, 128, 32768, 2 ** 31][pick(7)], () => makeString(pick), () => [null, undefined, true][pick(3)], () => new Date(pick(9) - 4)];
  const deep = [
    () => object(list(6, () => KEYS[pick(KEYS.length)])),
    () => object(list(40, (_, i) => (pick(9) === 0 ? KEYS[pick(KEYS.length)] : `k${i}`)), leaf),
    () => list(40, () => object(['id', 'name', '7'], leaf)),
    () => keep(list(8, inner)),
    () => keep(new Map(list(4, () => [inner(), inner()]))),
    () => keep(new Set(list(4, inner))),
    () => Object.assign([], { [pick(9)]: inner(), [pick(9)]: 1 }),
    () => [makeView(pick), BigInt(pick(99)) ** 20n, Object('boxed'), /x/giu],
    () => (made.length > 0 ? made[pick(made.length)] : []),
  ];
  const kinds = depth > 0 ? [...flat, ...deep] : flat;
  return kinds[pick(kinds.length)]();
}

const SEEDS = [21, 22, 23];

test.each(SEEDS)('random values equal their clone, the order of keys and what is one object included (seed %i)', (seed) => {
  for (let i = 0; i < 200; i++) {
    const value = makeValue(random(seed * 1000 + i), 4, []);
    same(clone(value), roundTrip(value), `$(${seed * 1000 + i})`);
  }
});

/** Bytes that begin something: of the plain encoding, then of V8's. */
const BEGINNINGS = [0x80, 0xaf, 0xb0, 0xb1, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xfe, 0xff, 0x41, 0x61, 0x6f, 0x5e, 0x5c, 0x3b, 0x27, 0x42, 0x7e, 0x74];

/** @param {Buffer} bytes */
function damage(bytes, pick) {
  const at = pick(bytes.length);
  const word = [0, 1, 0xffffffff, 0x7fffffff, bytes.length][pick(5)];
  switch (pick(6)) {
    case 0: bytes[at] ^= 1 << pick(8); return bytes;
    case 1: bytes[at] = BEGINNINGS[pick(BEGINNINGS.length)]; return bytes;
    case 2: return bytes.subarray(0, at);
    case 3: return Buffer.concat([bytes.subarray(0, at), Buffer.of(pick(256)), bytes.subarray(at)]);
    case 4: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    default: if (at + 4 <= bytes.length) bytes.writeUInt32LE(word, at); return bytes;
  }
}

test.each(SEEDS)('a damaged message is a value or an error of ours, and costs no memory (seed %i)', (seed) => {
  const before = process.memoryUsage().rss;
  let damaged = 0;
  for (let i = 0; i < 80; i++) {
    const pick = random(seed * 1000 + i);
    const { kind, bytes, start, end, attachments } = codec.encode(makeValue(pick, 3, []));
    const whole = Buffer.from(bytes.subarray(start, end));
    if (whole.length === 0 || whole.length > 4096) continue;
    for (let times = 0; times < 10; times++) {
      let spoiled = Buffer.from(whole);
      for (let changes = 1 + pick(3); changes > 0 && spoiled.length > 0; changes--) spoiled = damage(spoiled, pick);
      damaged++;
      for (const decode of [codec.decode, codec.decodeError]) {
        try {
          decode(kind, spoiled, 0, spoiled.length, attachments && attachments.map((view) => new Uint8Array(view).buffer));
        } catch (error) {
          if (error.code !== 'ERR_FARM_BAD_DATA') throw new Error(`${kind}: ${spoiled.toString('hex')}`, { cause: error });
        }
      }
    }
  }
  expect(damaged).toBeGreaterThan(300);
  expect(process.memoryUsage().rss - before).toBeLessThan(512 * 2 ** 20);
  expect(roundTrip(['add', 1, 2])).toEqual(['add', 1, 2]);
});
