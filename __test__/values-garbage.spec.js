'use strict';

const codec = require('../lib/codec');
const { roundTrip } = require('./fixtures/round-trip');

const SAMPLES = [
  ['add', 1, 2],
  { id: 1, name: 'ü', list: [{ id: 2, name: 'x', list: [] }, null, undefined, 1.5, new Date(0), '漢'.repeat(70), 'z'.repeat(100)] },
  Array.from({ length: 40 }, (_, i) => ({ [`k${i}`]: i })),
  new Map([[1n, new Set(['a', /x/])], ['buffer', Buffer.from('abc')], ['view', new Float64Array(3)]]),
  [new Error('e'), Buffer.alloc(70_000)],
];

/** Never crashes; a value or farm's own error. */
function decodeAnything(kind, bytes, attachments) {
  try {
    codec.decode(kind, bytes, 0, bytes.length, attachments);
    return true;
  } catch (error) {
    expect(error.code).toBe('ERR_FARM_BAD_DATA');
    return false;
  }
}

function copyOf(encoded) {
  const bytes = Buffer.from(encoded.bytes.subarray(encoded.start, encoded.end));
  return { kind: encoded.kind, bytes, attachments: encoded.attachments && encoded.attachments.map((view) => new Uint8Array(view).buffer) };
}

test.each(SAMPLES.map((sample, i) => [i, sample]))('a message that is cut short or too long is an error (sample %i)', (_, sample) => {
  const { kind, bytes, attachments } = copyOf(codec.encode(sample));
  for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 300)) {
    expect(decodeAnything(kind, bytes.subarray(0, length), attachments)).toBe(false);
  }
  if (kind === codec.KIND.PLAIN) expect(decodeAnything(kind, Buffer.concat([bytes, bytes]), attachments)).toBe(false);
});

test.each(SAMPLES.map((sample, i) => [i, sample]))('flipped bytes give a value or an error, and the next message is read (sample %i)', (_, sample) => {
  const { kind, bytes, attachments } = copyOf(codec.encode(sample));
  const limit = Math.min(bytes.length, 200);
  for (let i = 0; i < limit; i++) {
    for (const change of [0x01, 0x80, 0xff, 0x5a]) {
      const spoiled = Buffer.from(bytes);
      spoiled[i] ^= change;
      decodeAnything(kind, spoiled, attachments);
    }
  }
  expect(roundTrip(['add', 1, 2])).toEqual(['add', 1, 2]);
});

test('random bytes', () => {
  let state = 42;
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.alloc(i % 60);
    for (let j = 0; j < bytes.length; j++) bytes[j] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
    for (const kind of [0, 1, 2, 3, 4, 9]) decodeAnything(kind, bytes, null);
    try {
      codec.decodeError(1, bytes, 0, bytes.length, null);
    } catch (error) {
      expect(error.code).toBe('ERR_FARM_BAD_DATA');
    }
  }
});

test('a short message cannot ask for much memory', () => {
  const nested = Buffer.alloc(50_000);
  for (let at = 0; at + 5 <= nested.length; at += 5) {
    nested[at] = 0xcb;
    nested.writeUInt32LE(nested.length - at - 5, at + 1);
  }
  expect(decodeAnything(codec.KIND.PLAIN, nested, null)).toBe(false);
  expect(decodeAnything(codec.KIND.PLAIN, Buffer.from([0xcb, 0xff, 0xff, 0xff, 0xff]), null)).toBe(false);
  expect(decodeAnything(codec.KIND.PLAIN, Buffer.alloc(200_000, 0xa1), null)).toBe(false);
});

test('what is said to be an error and is none', () => {
  for (const data of [7, [], [1], [1, []], [1, [null]], [1, [{}]], [1, [{ properties: [[]] }]], [1, [{ class: 'DOMException', properties: [] }]], [1, [{ properties: [['a', true, 2, 5]] }]]]) {
    const { kind, bytes } = copyOf(codec.encode(data));
    expect(codec.decodeError(kind, bytes, 0, bytes.length, null)).toBeInstanceOf(Error);
  }
});

test('a missing attachment is an error', () => {
  const { kind, bytes } = copyOf(codec.encode(Buffer.alloc(70_000)));
  expect(decodeAnything(kind, bytes, null)).toBe(false);
  expect(decodeAnything(kind, bytes, [])).toBe(false);
});
