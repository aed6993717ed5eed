'use strict';

// The plain encoding at the places where it takes short cuts: references, texts, compiled functions, lengths.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const codec = require('../lib/codec');
const TOKEN = require('../lib/codec/tokens');
const { roundTrip, clone } = require('./fixtures/round-trip');

const { PLAIN, CLONE } = codec.KIND;

const alike = (count) => Array.from({ length: count }, () => ({ kind: 'same', list: ['a'], at: { x: 1 } }));

test.each([10, 200, 6000])('%i objects that look alike are no references, and one reference among them is', (count) => {
  const list = alike(count);
  expect(codec.encode(list).kind).toBe(PLAIN);
  assert.deepStrictEqual(roundTrip(list), clone(list));
  for (const at of [0, 1, count - 2]) {
    const withSecond = alike(count);
    withSecond[count - 1].again = withSecond[at].at;
    expect(codec.encode(withSecond).kind).toBe(CLONE);
    const back = roundTrip(withSecond);
    expect(back[count - 1].again).toBe(back[at].at);
  }
});

test.each([
  ['an empty object', {}],
  ['an empty array', []],
  ['a Date', new Date(5)],
  ['numbers', [1, 2.5, 300, 70_000]],
  ['short strings', ['a', 'bc']],
  ['long strings', ['a'.repeat(300), 'é'.repeat(300)]],
  ['many keys', Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i]))],
  ['objects in objects', { a: { b: { c: [1] } }, d: [{}, {}] }],
])('a second reference to %s is noticed', (_, shared) => {
  const fill = Array.from({ length: 50 }, (_, i) => ({ i, list: [i, 'text'] }));
  for (const value of [[shared, shared], { one: shared, fill, two: [shared] }, [fill, shared, fill.slice(0, 0), { deep: [[shared]] }]]) {
    expect(codec.encode(value).kind).toBe(CLONE);
  }
  const { one, two } = roundTrip({ one: shared, fill, two: [shared] });
  expect(two[0]).toBe(one);
});

test.each([1, 2, 3, 4, 5, 7, 8, 9, 17, 100])('a cycle of %i objects, entered at any depth, is carried as one', (length) => {
  for (let lead = 0; lead < 10; lead++) {
    const ring = Array.from({ length }, (_, i) => ({ i, next: null, text: 'x'.repeat(500) }));
    ring.forEach((object, i) => { object.next = ring[(i + 1) % length]; });
    let value = ring[0];
    for (let i = 0; i < lead; i++) value = [value];
    let back = roundTrip(value);
    for (let i = 0; i < lead; i++) [back] = back;
    let at = back;
    for (let i = 0; i < length; i++) at = at.next;
    expect(at).toBe(back);
  }
});

test('a task is written as the array of its method and arguments would be', () => {
  const shared = { a: [1] };
  const cycle = [];
  cycle.push(cycle);
  const lists = [
    [], [41], [undefined, null, true, -0, 1.5, 70_000], ['text', 'é', 'x'.repeat(300), '\u{1f600}'], Array.from({ length: 20 }, (_, i) => i),
    [shared], [shared, shared], [alike(200), alike(3)], [cycle], [new Map([[1, 2]])], [new Date(5), { text: 'abc', n: 1 }], [new Uint8Array(3)],
  ];
  for (const method of ['', 'm', 'a method of a long name, with é in it and more than forty-eight characters', 'x'.repeat(300)]) {
    for (const args of lists) {
      const written = ({ kind, bytes, start, end }) => [kind, Buffer.from(bytes.subarray(start, end)).toString('hex')];
      const task = written(codec.encodeTask(method, args));
      expect(task).toEqual(written(codec.encode([method, ...args], 'task')));
    }
  }
  const args = [1];
  args.push({ get inner() { return codec.encodeTask('again', args.slice(0, 1)).kind; } });
  expect(codec.decode(...bytesOf(codec.encodeTask('m', args)))).toEqual(['m', 1, { inner: CLONE }]);
  expect(() => codec.encodeTask('m', [1, () => {}])).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE', message: expect.stringContaining('args[1] is a function') }));
});

const bytesOf = ({ kind, bytes, start, end, attachments }) => [kind, bytes, start, end, attachments];

test('what a cycle carries along is written a few times only', () => {
  const value = { text: 'x'.repeat(1 << 20), self: null };
  value.self = ['deeper', { value }];
  const before = codec.encode(0).bytes.length;
  expect(codec.encode(value).kind).toBe(CLONE);
  expect(codec.encode(0).bytes.length).toBeLessThanOrEqual(Math.max(before, 16 << 20));
});

test.each([
  ['one byte per character', (i) => `n${i}é`],
  ['two bytes per character', (i) => `n${i}漢`],
  ['halves of characters', (i) => `\udc00n${i}\ud800`],
  ['lengths of all kinds', (i) => 'é'.repeat(i % 300)],
  ['wide ones of all lengths', (i) => 'ж'.repeat(i % 300)],
  ['a wide one among others', (i) => (i === 777 ? '漢' : `plain ${i}`)],
])('texts of many strings: %s', (_, make) => {
  for (const count of [1, 5, 20, 3000]) {
    const list = Array.from({ length: count }, (_, i) => ({ text: make(i), again: make(i) }));
    expect(codec.encode(list).kind).toBe(PLAIN);
    assert.deepStrictEqual(roundTrip(list), list);
    // What is not short stands between what is.
    assert.deepStrictEqual(roundTrip([list, 'y'.repeat(1000), list.length, 'end']), [list, 'y'.repeat(1000), count, 'end']);
  }
});

test('a text that was given up leaves nothing in the next message', () => {
  for (const bad of [['left', 'over', 1n], [{ name: 'x'.repeat(3000), other: '漢' }, new Map()]]) {
    expect(codec.encode(bad).kind).toBe(CLONE);
    const { bytes, start, end } = codec.encode(['add', 1, 2]);
    expect([...bytes.subarray(start, end)]).toEqual([TOKEN.SHORT_ARRAY + 3, TOKEN.SHORT_STRING + 3, 1, 2, 0x61, 0x64, 0x64, 3]);
  }
});

test('an array cannot promise more items than the message has bytes, however the promises are nested', () => {
  const nested = (count) => {
    const bytes = Buffer.alloc(count * 5 + 1);
    for (let i = 0; i < count; i++) {
      bytes[i * 5] = TOKEN.ARRAY;
      // What each of them could hold, if the others were not there.
      bytes.writeUInt32LE(bytes.length - 1 - (i + 1) * 5, i * 5 + 1);
    }
    return bytes;
  };
  const RealArray = globalThis.Array;
  let promised = 0;
  const bytes = nested(2000);
  globalThis.Array = new Proxy(RealArray, {
    construct(target, args) {
      if (args.length === 1) promised += args[0];
      return Reflect.construct(target, args);
    },
  });
  let error;
  try {
    codec.decode(PLAIN, bytes, 0, bytes.length, null);
  } catch (thrown) {
    error = thrown;
  } finally {
    globalThis.Array = RealArray;
  }
  expect(error.code).toBe('ERR_FARM_BAD_DATA');
  // Something was allocated, so the count is of what the decoder does.
  expect(promised).toBeGreaterThan(0);
  expect(promised).toBeLessThanOrEqual(bytes.length);
});

test('a text that is longer than the message, or not used up, is an error', () => {
  const { bytes, start, end } = codec.encode(['name', 1, 'x'.repeat(300)]);
  const message = Buffer.from(bytes.subarray(start, end));
  const decode = (spoiled) => () => codec.decode(PLAIN, spoiled, 0, spoiled.length, null);
  expect(decode(message)()).toEqual(['name', 1, 'x'.repeat(300)]);
  for (const last of [0, 3, 5, 200, TOKEN.LATIN_TEXT, TOKEN.WIDE_TEXT]) {
    const spoiled = Buffer.from(message);
    spoiled[spoiled.length - 1] = last;
    expect(decode(spoiled)).toThrow(expect.objectContaining({ code: 'ERR_FARM_BAD_DATA' }));
  }
  expect(decode(Buffer.from([TOKEN.SHORT_STRING + 3, 0x61, 0x62, 0x63, 3]))()).toBe('abc');
  expect(decode(Buffer.from([TOKEN.SHORT_STRING + 3, 0x61, 0x62, 0x63, 0x64, 4]))).toThrow(expect.objectContaining({ code: 'ERR_FARM_BAD_DATA' }));
  expect(decode(Buffer.alloc(0))).toThrow(expect.objectContaining({ code: 'ERR_FARM_BAD_DATA' }));
});

// The functions that are compiled for a shape are in use from its 32nd object on.
const often = (make) => Array.from({ length: 100 }, (_, i) => make(i));

test('objects that share their keys with many plain ones but are none', () => {
  class Own {
    constructor(i) { this.a = i; this.b = 'text'; }
  }
  const plain = () => often((i) => ({ a: i, b: 'text' }));
  assert.deepStrictEqual(roundTrip([plain(), Object.assign(Object.create(null), { a: 1, b: 2 })]), [plain(), { a: 1, b: 2 }]);
  expect(codec.encode([...plain(), new Own(5)]).kind).toBe(CLONE);
  assert.deepStrictEqual(roundTrip([...plain(), new Own(5)])[100], { a: 5, b: 'text' });
  expect(codec.encode([...plain(), Object.assign(Object.create({ b: 1 }), { a: 1 })]).kind).toBe(CLONE);
  expect(codec.encode([...plain(), Object.assign(new Date(0), { a: 1, b: 2 })]).kind).toBe(PLAIN);
  expect(() => codec.encode([...plain(), new Proxy({ a: 1, b: 'text' }, {})])).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE' }));
  expect(() => codec.encode([...plain(), { a: 1, b() {} }])).toThrow(expect.objectContaining({ path: 'value[100].b' }));
});

test('properties whose values have many kinds, and getters, many times over', () => {
  const kinds = [1, -1, 1.5, 'text', '漢'.repeat(400), null, undefined, true, [1], { deep: [2] }, -0, NaN];
  const list = often((i) => ({ a: kinds[i % kinds.length], b: kinds[(i * 5) % kinds.length], c: i }));
  assert.deepStrictEqual(roundTrip(structuredClone(list)), clone(list));
  const vanishing = () => ({ get a() { delete this.c; return 1; }, b: 2, c: 3 });
  for (let i = 0; i < 3; i++) expect(roundTrip(often(vanishing))).toEqual(often(() => ({ a: 1, b: 2 })));
  const before = () => often((i) => ({ a: i, b: 2, c: 3 }));
  for (let i = 0; i < 3; i++) expect(Object.keys(roundTrip([...before(), vanishing()])[100])).toEqual(['a', 'b']);
  const names = often((i) => ({ constructor: i, toString: 'own', hasOwnProperty: undefined, 'a"b\\c\u2028': 1, '\ud800': 2 }));
  assert.deepStrictEqual(roundTrip(names), clone(names));
});

test('a message of many objects grows the scratch between the values of one', () => {
  const list = Array.from({ length: 5000 }, (_, i) => ({ a: i / 3, b: { c: i / 7, d: [i / 9], e: i / 11 }, f: i / 13, g: `text ${i}`, h: [{ i: i / 17 }] }));
  for (let i = 0; i < 3; i++) assert.deepStrictEqual(roundTrip(list), list);
});

test('objects of many numbers, inside of each other, wherever the scratch ends', () => {
  const numbers = (i) => Object.fromEntries(Array.from({ length: 23 }, (_, k) => [`k${k}`, i + k / 7]));
  for (let shift = 0; shift < 40; shift++) {
    const list = ['x'.repeat(256 + 31 * shift), Array.from({ length: 250 }, (_, i) => ({ inner: { first: [0.1], ...numbers(i) }, ...numbers(-i) }))];
    assert.deepStrictEqual(roundTrip(list), list);
    // The scratch has grown; it is given up after so many small messages.
    for (let i = 0; i < 120; i++) codec.encode(i);
  }
});

test('where code may not be made from strings, the same values are carried', () => {
  const code = `
    const assert = require('node:assert');
    const codec = require(${JSON.stringify(require.resolve('../lib/codec'))});
    assert.throws(() => new Function(''));
    const list = Array.from({ length: 200 }, (_, i) => ({ id: i, tags: ['a', 'b' + i], at: { x: i / 3 } }));
    for (let i = 0; i < 3; i++) {
      const { kind, bytes, start, end } = codec.encode(list);
      assert.strictEqual(kind, codec.KIND.PLAIN);
      assert.deepStrictEqual(codec.decode(kind, bytes, start, end, null), list);
    }`;
  const { status, stderr } = spawnSync(process.execPath, ['--disallow-code-generation-from-strings', '-e', code], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

// A key for each byte would be half a GiB of strings here, and seconds.
test('nobody goes over the indices of a large Buffer in the place where an object was before', () => {
  const program = `
    const { encode, decode } = require('./lib/codec');
    encode(['method', { a: 1 }], 'task');
    const { attachments } = encode(['method', Buffer.alloc(64 << 20, 7)], 'task');
    process.stdout.write(String(attachments[0].byteLength));`;
  const { status, stdout } = spawnSync(process.execPath, ['--max-old-space-size=64', '-e', program], { cwd: `${__dirname}/..`, encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: String(64 << 20) });
});
