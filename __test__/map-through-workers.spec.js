'use strict';

const { openFarm } = require('./fixtures/open-farm');

const range = (count) => Array.from({ length: count }, (_, i) => i);

async function collect(iterable) {
  const values = [];
  for await (const value of iterable) values.push(value);
  return values;
}

async function* slowly(items) {
  for (const item of items) {
    await new Promise(setImmediate);
    yield item;
  }
}

test.each([
  ['an array', () => range(500)],
  ['a generator', () => range(500)[Symbol.iterator]()],
  ['a Set', () => new Set(range(500))],
  ['an async generator', () => slowly(range(500))],
  ['promises', () => range(500).map((i) => Promise.resolve(i))],
])('%s: results in the order of the items', async (_, items) => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  expect(await collect(farm.map(items(), 'tenfold'))).toEqual(range(500).map((i) => i * 10));
});

test('of tasks that end in another order', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  const items = [3, 0, 2, 0, 1, 0, 0, 0];
  expect(await collect(farm.map(items, 'afterTurns'))).toEqual(items);
  const unordered = await collect(farm.map(items, 'afterTurns', { ordered: false }));
  expect(unordered.sort()).toEqual([...items].sort());
});

test('unordered results come while an earlier task still runs', async () => {
  const farm = openFarm('calls/mapped.js', { tasksPerWorker: 4 });
  const reader = farm.map(['wait', 1, 2, 3], 'waitForOpen', { ordered: false, concurrency: 2 });
  expect([(await reader.next()).value, (await reader.next()).value, (await reader.next()).value]).toEqual([1, 2, 3]);
  await farm.service.open('opened');
  expect((await reader.next()).value).toBe('opened');
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

test('no more items are read than the reader asks for', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  let read = 0;
  function* endless() {
    for (;;) yield read++;
  }
  const reader = farm.map(endless(), 'tenfold', { concurrency: 4 });
  for (let i = 0; i < 100; i++) {
    expect((await reader.next()).value).toBe(i * 10);
    expect(read).toBeLessThanOrEqual(i + 1 + 8);
  }
  await reader.return();
  const { open } = farm.stats().tasks;
  expect(open).toBeLessThanOrEqual(4);
});

test('at most `concurrency` tasks are under way', async () => {
  const farm = openFarm('calls/mapped.js', { max: 1, tasksPerWorker: 16 });
  const results = await collect(farm.map(range(100), 'howManyRun', { concurrency: 3 }));
  expect(Math.max(...results)).toBeLessThanOrEqual(3);
  expect(Math.max(...results)).toBeGreaterThan(1);
});

test('leaving the loop closes the source and leaves the farm usable', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  let closed = false;
  async function* source() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      closed = true;
    }
  }
  for await (const value of farm.map(source(), 'tenfold')) if (value === 50) break;
  expect(closed).toBe(true);
  expect(await farm.service.tenfold(1)).toBe(10);
});

test('an error of a task ends the iteration after the results before it', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  const seen = [];
  const loop = async () => {
    for await (const value of farm.map(range(100), 'failsAt30')) seen.push(value);
  };
  await expect(loop()).rejects.toThrow(new RangeError('30 is too much'));
  expect(seen).toEqual(range(30));
  expect(await farm.service.tenfold(1)).toBe(10);
});

test('an error of the source, too', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  function* source() {
    yield* range(10);
    throw new TypeError('no more');
  }
  const seen = [];
  const loop = async () => {
    for await (const value of farm.map(source(), 'tenfold')) seen.push(value);
  };
  await expect(loop()).rejects.toThrow(new TypeError('no more'));
  expect(seen).toEqual(range(10).map((i) => i * 10));
});

test('an item that cannot be sent', async () => {
  const farm = openFarm('calls/mapped.js');
  await expect(collect(farm.map([1, () => {}], 'tenfold'))).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', path: 'args[0]' });
});

test('a method that is not there', async () => {
  const farm = openFarm('calls/mapped.js');
  await expect(collect(farm.map([1], 'nothing'))).rejects.toMatchObject({ code: 'ERR_FARM_NO_METHOD' });
  expect(await collect(farm.map([], 'nothing'))).toEqual([]);
});

test('a signal ends it and cancels its tasks', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  const controller = new AbortController();
  const reader = farm.map(range(100), 'never', { signal: controller.signal });
  const first = reader.next();
  controller.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  expect(await farm.service.tenfold(2)).toBe(20);
});

test('a closed farm ends it', async () => {
  const farm = openFarm('calls/mapped.js', { max: 2 });
  const reader = farm.map(range(100), 'tenfold');
  await reader.next();
  await farm.destroy();
  await expect(collect(reader)).rejects.toMatchObject({ code: 'ERR_FARM_CLOSED' });
});
