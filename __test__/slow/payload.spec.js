'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { openFarm } = require('../fixtures/open-farm');
const { make, hash } = require('../fixtures/calls/payload');

const KiB = 1024;
const MiB = 1024 * KiB;

/** Around every size at which bytes take another way: inside a slot, in the ring, in a block, beside the message, in a batch of their own. */
const SIZES = [
  0, 1, 150, 180, 195, 196, 207, 208, 209, 210, 1990, 2000, 2010, 2020, 2030, 2047, 2048, 2049,
  64 * KiB - 200, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 128 * KiB - 1, 128 * KiB, 128 * KiB + 1,
  256 * KiB - 64, 256 * KiB - 24, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1, MiB, MiB + 1, 17 * MiB,
];

describe('bytes of every size arrive unchanged in both directions', () => {
  test.each([['as views', true], ['as copies', false]])('%s', async (_, views) => {
    const { service } = openFarm('calls/payload.js', { views });
    for (const size of SIZES) {
      const bytes = make(size, 3);
      const answer = await service.exchange(bytes, size, 5);
      expect([size, answer.hash]).toEqual([size, hash(bytes)]);
      expect([size, answer.bytes.length, hash(answer.bytes)]).toEqual([size, size, hash(make(size, 5))]);
      const back = await service.echo(new Uint8Array(bytes));
      expect([size, back.constructor.name, hash(back)]).toEqual([size, 'Uint8Array', hash(bytes)]);
    }
  });

  test('as text', async () => {
    const { service } = openFarm('calls/payload.js');
    for (const size of [0, 1, ...Array.from({ length: 12 }, (_, i) => 200 + i), 2040, 2048, 2060, 65_530, 65_540, 262_100, 262_144, 300_000, 9_000_000]) {
      const text = 'x'.repeat(size);
      expect(await service.letters(text)).toBe(size);
      expect(await service.echo(text)).toBe(text);
      expect(await service.text(size)).toBe('ü'.repeat(size));
    }
  });

  test('many large ones in flight', async () => {
    const { service } = openFarm('calls/payload.js', { max: 2 });
    const calls = Array.from({ length: 60 }, async (_, i) => {
      const size = 100 * KiB + i * 37_001;
      const answer = await service.exchange(make(size, i), size + 1, i + 1);
      return answer.hash === hash(make(size, i)) && hash(answer.bytes) === hash(make(size + 1, i + 1));
    });
    expect(await Promise.all(calls)).toEqual(calls.map(() => true));
  });

  test('several in one value, the same one twice, and parts of one', async () => {
    const { service } = openFarm('calls/payload.js');
    const large = new Uint8Array(make(100 * KiB, 1));
    const value = { list: [large, large.subarray(10, 90_000), Buffer.from(large.buffer, 5, 70_000)], buffer: make(3 * KiB, 2), map: new Map([['b', make(MiB, 4).buffer]]) };
    expect(await service.echo(value)).toEqual(value);
  });
});

describe('random sizes', () => {
  /** A small generator, so that a failure can be repeated. */
  function* random(seed) {
    for (let state = seed; ; ) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      yield state / 2 ** 32;
    }
  }

  test.each([1, 2026, 424_242])('with seed %i', async (seed) => {
    const { service } = openFarm('calls/payload.js', { max: 2 });
    const next = random(seed);
    const draw = () => Math.floor(2 ** (next.next().value * 20));
    for (let round = 0; round < 12; round++) {
      const calls = Array.from({ length: 40 }, async (_, i) => {
        const [there, back] = [draw(), draw()];
        const answer = await service.exchange(make(there, i), back, round);
        return [there, back, answer.hash === hash(make(there, i)), hash(answer.bytes) === hash(make(back, round))];
      });
      for (const [there, back, ...good] of await Promise.all(calls)) expect([there, back, ...good]).toEqual([there, back, true, true]);
    }
  });
});

describe('what somebody keeps stays what it was', () => {
  test('in the worker', async () => {
    const { service } = openFarm('calls/payload.js');
    const sizes = [100, 3000, 64 * KiB, 300 * KiB, 2 * MiB];
    for (const [index, size] of sizes.entries()) await service.keep(make(size, index));
    await Promise.all(Array.from({ length: 1000 }, (_, i) => service.size(make(i % 2 ? 100 : 300 * KiB, 99))));
    expect(await service.kept()).toEqual(sizes.map((size, index) => hash(make(size, index))));
  });

  test('in the parent', async () => {
    const { service } = openFarm('calls/payload.js');
    const sizes = [100, 3000, 64 * KiB, 300 * KiB, 2 * MiB];
    const results = [];
    for (const [index, size] of sizes.entries()) results.push((await service.exchange(Buffer.alloc(0), size, index)).bytes);
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, () => service.exchange(Buffer.alloc(0), i % 2 ? 100 : 300 * KiB, 99)));
    expect(results.map(hash)).toEqual(sizes.map((size, index) => hash(make(size, index))));
  });

  test('and is nobody else\'s: to write into it changes nothing on the other side', async () => {
    const { service } = openFarm('calls/payload.js');
    const bytes = make(200 * KiB, 1);
    expect(await service.overwrite(bytes)).toBe(hash(Buffer.alloc(200 * KiB, 0xff)));
    expect(hash(bytes)).toBe(hash(make(200 * KiB, 1)));
    const first = await service.echo(bytes);
    first.fill(0);
    expect(hash(await service.echo(bytes))).toBe(hash(bytes));
  });

  test('the caller may change the bytes as soon as the call has returned', async () => {
    const { service } = openFarm('calls/payload.js');
    for (const size of [10, 500, 100 * KiB]) {
      const bytes = make(size, 1);
      const answer = service.exchange(bytes, 0, 0);
      bytes.fill(0);
      expect((await answer).hash).toBe(hash(make(size, 1)));
    }
  });

  test('after its worker is gone and its farm is closed', async () => {
    const farm = openFarm('calls/payload.js');
    const { bytes } = await farm.service.exchange(Buffer.alloc(0), MiB, 8);
    await farm.close();
    expect(hash(bytes)).toBe(hash(make(MiB, 8)));
  });
});

describe('too little memory', () => {
  test('for arguments rejects that call alone', async () => {
    const farm = openFarm('calls/payload.js', { maxSharedMemory: 4 * MiB });
    const { service } = farm;
    const pid = await service.pid();
    const [error, answer] = await Promise.all([service.size(Buffer.alloc(8 * MiB)).catch((reason) => reason), service.exchange(make(MiB, 1), 10, 2)]);
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NO_MEMORY', method: 'size', message: expect.stringContaining('maxSharedMemory') });
    expect(answer.hash).toBe(hash(make(MiB, 1)));
    // A long text lies in the message itself.
    await expect(service.letters('x'.repeat(8 * MiB))).rejects.toMatchObject({ code: 'ERR_FARM_NO_MEMORY' });
    expect(await service.pid()).toBe(pid);
  });

  test('for a result rejects that call alone', async () => {
    const { service } = openFarm('calls/payload.js', { maxSharedMemory: 4 * MiB });
    const pid = await service.pid();
    const [error, text, answer] = await Promise.all([
      service.exchange(Buffer.alloc(0), 8 * MiB, 1).catch((reason) => reason),
      service.text(8 * MiB).catch((reason) => reason),
      service.exchange(Buffer.alloc(0), MiB, 2),
    ]);
    for (const reason of [error, text]) {
      expect(reason).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NO_MEMORY', message: expect.stringMatching(/result of \d+ bytes.*maxSharedMemory/) });
    }
    expect(hash(answer.bytes)).toBe(hash(make(MiB, 2)));
    expect(await service.pid()).toBe(pid);
  });

  test('for some of many rejects those and settles all', async () => {
    const farm = openFarm('calls/payload.js', { maxSharedMemory: 8 * MiB });
    const settled = await Promise.allSettled(Array.from({ length: 50 }, () => farm.service.size(Buffer.alloc(MiB))));
    const reasons = settled.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code);
    expect(new Set(reasons)).toEqual(new Set(['ERR_FARM_NO_MEMORY']));
    expect(settled.filter(({ status }) => status === 'fulfilled').map(({ value }) => value)).toEqual(Array(50 - reasons.length).fill(MiB));
    expect(settled.length - reasons.length).toBeGreaterThan(0);
  });
});

describe('memory', () => {
  const run = promisify(execFile);
  // The script waits until the figures are 0; the limit only ends a leak.
  const limit = { timeout: 50_000 };

  test.each([['views', true], ['copies', false]])('of %s comes back when nobody looks at them', async (_, views) => {
    const script = path.join(__dirname, '..', 'fixtures', 'calls', 'memory-comes-back.js');
    const { stdout } = await run(process.execPath, ['--expose-gc', script, JSON.stringify({ views })], limit);
    expect(JSON.parse(stdout)).toMatchObject({ shared: 0, views: 0, settled: expect.any(Number) });
  });
});
