'use strict';

const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { WorkerFarm } = require('..');
const codec = require('../lib/codec');
const { roundTrip } = require('./fixtures/round-trip');

/** @param {string} name */
const fixture = (name) => path.join(__dirname, 'fixtures', 'codecs', name);

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

describe('a module of the user', () => {
  const own = codec.makeCodec(fixture('v8.js'));

  test('carries small and large values, undefined too', () => {
    const large = 'x'.repeat(100_000);
    expect(roundTrip([1, 'two', { three: 3 }], own)).toEqual([1, 'two', { three: 3 }]);
    expect(roundTrip(large, own)).toBe(large);
    expect(roundTrip(undefined, own)).toBeUndefined();
    expect(own.encode(large).attachments).toHaveLength(1);
  });

  test('may keep the bytes it is given', () => {
    const keeping = codec.makeCodec(fixture('keeping.js'));
    expect(Buffer.from(roundTrip('hello', keeping)).toString()).toBe('hello');
  });

  test('throws its own errors', () => {
    const failing = codec.makeCodec(fixture('failing.js'));
    expect(() => failing.encode(1)).toThrow('mine');
    expect(() => failing.decode(codec.KIND.CUSTOM, Buffer.alloc(1), 0, 1, null)).toThrow('mine too');
  });

  test('has to return bytes', () => {
    expect(() => codec.makeCodec(fixture('text.js')).encode(1)).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE' }));
  });
});

describe('a farm', () => {
  const worker = path.join(__dirname, 'fixtures', 'calls', 'echo.js');

  /** @param {any} codecOption @param {(farm: any) => Promise<any>} act */
  async function within(codecOption, act) {
    const farm = new WorkerFarm(worker, { max: 1, codec: codecOption });
    try {
      return await act(farm);
    } finally {
      await farm.destroy();
    }
  }

  test('with JSON sends what JSON carries both ways', () =>
    within('json', async ({ service }) => {
      expect(await service.echo({ a: [1, new Date(0)], gone: undefined })).toEqual({ a: [1, '1970-01-01T00:00:00.000Z'] });
      expect(await service.echo('x'.repeat(300_000))).toHaveLength(300_000);
      await expect(service.echo(1n)).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', message: expect.stringContaining('the arguments') });
      await expect(service.value('BigInt')).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE' });
      await expect(service.fail()).rejects.toBeInstanceOf(RangeError);
      expect(await service.echo()).toBeUndefined();
    }));

  test.each([
    ['a path', './fixtures/codecs/v8.js'],
    ['a URL', pathToFileURL(path.join(__dirname, 'fixtures', 'codecs', 'v8.js'))],
    ['a default export', './fixtures/codecs/default-export.js'],
  ])('takes %s and loads the module on both sides', (_, option) =>
    within(option, async (farm) => {
      expect(await farm.service.echo(new Map([[1n, 'two']]))).toEqual(new Map([[1n, 'two']]));
      const large = Buffer.alloc(100_000, 7);
      expect(Buffer.compare(await farm.service.echo(large), large)).toBe(0);
      const seen = [];
      expect(await farm.run('progress', [3], { onProgress: (value) => seen.push(value) })).toBe(3);
      expect(seen).toEqual([0, 1, 2]);
      await expect(farm.service.fail()).rejects.toBeInstanceOf(RangeError);
      await expect(farm.service.nothing()).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD' });
    }));

  test('rejects the task alone when the codec throws, on either side', () =>
    within('./fixtures/codecs/moody.js', async ({ service }) => {
      const pid = await service.pid();
      await expect(service.echo('encode throws')).rejects.toThrow('not in the mood to encode');
      await expect(service.echo('decode throws')).rejects.toThrow('not in the mood to decode');
      await expect(service.value('decode throws')).rejects.toThrow('not in the mood to decode');
      expect(await service.pid()).toBe(pid);
    }));

  test('rejects a task whose progress cannot be decoded; it and its neighbours run on', () =>
    within('./fixtures/codecs/moody.js', async (farm) => {
      const pid = await farm.service.pid();
      const seen = [];
      const onProgress = (value) => seen.push(value);
      const [error, other] = await Promise.all([
        farm.run('emit', ['first', 'decode throws', 'last'], { onProgress }).catch((reason) => reason),
        farm.run('emit', ['of another'], { onProgress }),
      ]);
      expect(error).toEqual(new Error('not in the mood to decode'));
      expect(other).toBe(1);
      expect(seen).toEqual(['first', 'of another']);
      expect(await farm.service.pid()).toBe(pid);
      expect(farm.stats().tasks.open).toBe(0);
    }));

  test.each([
    ['that is not found', './fixtures/codecs/none.js', { looked: [expect.stringContaining('none.js'), expect.stringContaining('none.js')] }],
    ['without the functions', './fixtures/codecs/empty.js', { message: expect.stringContaining('does not export') }],
    ['that throws', './fixtures/codecs/throws.js', { cause: expect.objectContaining({ message: 'no codec today' }) }],
  ])('refuses a module %s', (_, option, expected) => {
    expect(() => new WorkerFarm(worker, { codec: option })).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION', option: 'codec', ...expected }));
  });
});
