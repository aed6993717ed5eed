'use strict';

const { mapTasks } = require('../lib/map');

/** A farm whose tasks settle when the test says so. */
class FakeFarm {
  constructor(max = 2) {
    this.options = { max };
    /** @type {{ method: string, args: any[], options: any, resolve: (value: any) => void, reject: (error: any) => void }[]} */
    this.tasks = [];
    this.running = 0;
    this.most = 0;
  }

  submit(method, args, options) {
    this.running++;
    this.most = Math.max(this.most, this.running);
    return new Promise((resolve, reject) => {
      this.tasks.push({ method, args, options, resolve, reject });
    }).finally(() => {
      this.running--;
    });
  }
}

/** A farm that answers at once with ten times the item. */
class QuickFarm extends FakeFarm {
  submit(method, args, options) {
    const result = super.submit(method, args, options);
    this.tasks.at(-1).resolve(args[0] * 10);
    return result;
  }
}

/** Until every reaction that is due has run. */
const quiet = () => new Promise((resolve) => setImmediate(resolve));

async function collect(iterable) {
  const values = [];
  for await (const value of iterable) values.push(value);
  return values;
}

function* countTo(end) {
  for (let i = 0; i < end; i++) yield i;
}

/** An endless source that knows how much of it was read and whether it was closed. */
function endless() {
  const source = {
    read: 0,
    closed: 0,
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) yield source.read++;
      } finally {
        source.closed++;
      }
    },
  };
  return source;
}

describe('results', () => {
  test('come in the order of the items, one argument each', async () => {
    const farm = new FakeFarm();
    const results = collect(mapTasks(farm, ['a', 'b', 'c'], 'method'));
    await quiet();
    expect(farm.tasks.map(({ method, args, options }) => [method, args, options])).toEqual([
      ['method', ['a'], null],
      ['method', ['b'], null],
      ['method', ['c'], null],
    ]);
    farm.tasks[2].resolve(3);
    farm.tasks[0].resolve(1);
    farm.tasks[1].resolve(2);
    expect(await results).toEqual([1, 2, 3]);
  });

  test('come as they settle with ordered: false', async () => {
    const farm = new FakeFarm();
    const results = collect(mapTasks(farm, [0, 1, 2], 'm', { ordered: false }));
    await quiet();
    for (const index of [2, 0, 1]) {
      farm.tasks[index].resolve(index);
      await quiet();
    }
    expect(await results).toEqual([2, 0, 1]);
  });

  test.each([true, false])('of an empty source are none (ordered: %p)', async (ordered) => {
    expect(await collect(mapTasks(new FakeFarm(), [], 'm', { ordered }))).toEqual([]);
  });

  test.each([true, false])('of many items are complete (ordered: %p)', async (ordered) => {
    const values = await collect(mapTasks(new QuickFarm(), countTo(10_000), 'm', { ordered }));
    expect(values.sort((a, b) => a - b)).toEqual([...countTo(10_000)].map((item) => item * 10));
  });

  test('an array or promise as item is one argument, a promise is waited for', async () => {
    const farm = new FakeFarm();
    const results = collect(mapTasks(farm, [[1, 2], Promise.resolve('late'), undefined], 'm'));
    await quiet();
    expect(farm.tasks.map(({ args }) => args)).toEqual([[[1, 2]], ['late'], [undefined]]);
    farm.tasks.forEach(({ resolve }) => resolve());
    expect(await results).toEqual([undefined, undefined, undefined]);
  });

  test('several next() calls at once are answered in order', async () => {
    const map = mapTasks(new QuickFarm(), [1, 2], 'm');
    const answers = await Promise.all([map.next(), map.next(), map.next(), map.next()]);
    expect(answers).toEqual([
      { done: false, value: 10 },
      { done: false, value: 20 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });
});

describe('back-pressure', () => {
  test('nothing is read before the first result is asked for', async () => {
    const source = endless();
    mapTasks(new FakeFarm(), source, 'm');
    await quiet();
    expect(source.read).toBe(0);
  });

  test('at most twice max tasks are under way by default', async () => {
    const farm = new FakeFarm(3);
    const results = collect(mapTasks(farm, countTo(100), 'm'));
    let answered = 0;
    while (answered < 100) {
      await quiet();
      while (answered < farm.tasks.length) farm.tasks[answered++].resolve();
    }
    await results;
    expect(farm.most).toBe(6);
  });

  test.each([true, false])('a reader that takes nothing stops the reading (ordered: %p)', async (ordered) => {
    const source = endless();
    const map = mapTasks(new QuickFarm(), source, 'm', { concurrency: 4, ordered });
    await map.next();
    for (let i = 0; i < 20; i++) await quiet();
    expect(source.read).toBe(8 + 1);
    await map.next();
    for (let i = 0; i < 20; i++) await quiet();
    expect(source.read).toBe(8 + 2);
    await map.return();
  });

  test('a slow first item bounds what is read ahead of it', async () => {
    const farm = new FakeFarm();
    const source = endless();
    const map = mapTasks(farm, source, 'm', { concurrency: 2 });
    const first = map.next();
    for (let i = 1; i < 10; i++) {
      await quiet();
      farm.tasks.slice(1).forEach(({ resolve }) => resolve());
    }
    expect(farm.tasks).toHaveLength(4);
    farm.tasks[0].resolve('first');
    expect(await first).toEqual({ done: false, value: 'first' });
    await map.return();
  });
});

describe('an early end', () => {
  test('break closes the source once and drops what is under way', async () => {
    const farm = new FakeFarm();
    const source = endless();
    const loop = (async () => {
      for await (const value of mapTasks(farm, source, 'm')) return value;
    })();
    await quiet();
    await quiet();
    farm.tasks[0].resolve('one');
    expect(await loop).toBe('one');
    expect(source.closed).toBe(1);
    // An unhandled rejection would fail this test file.
    farm.tasks.slice(1).forEach(({ reject }) => reject(new Error('too late')));
    await quiet();
    const read = source.read;
    await quiet();
    expect(source.read).toBe(read);
  });

  test('return() answers although the source never gives its next item', async () => {
    const source = (async function* stuck() {
      yield 1;
      await new Promise(() => {});
    })();
    const map = mapTasks(new QuickFarm(), source, 'm');
    expect(await map.next()).toEqual({ done: false, value: 10 });
    const waiting = map.next();
    await quiet();
    expect(await map.return('end')).toEqual({ done: true, value: 'end' });
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('throw() closes the source and rejects with its error', async () => {
    const source = endless();
    const map = mapTasks(new QuickFarm(), source, 'm');
    await map.next();
    await expect(map.throw(new Error('mine'))).rejects.toThrow('mine');
    expect(source.closed).toBe(1);
    expect(await map.next()).toEqual({ done: true, value: undefined });
  });
});

describe('errors', () => {
  test('a failed task comes at its place, ends the iteration and closes the source', async () => {
    const farm = new FakeFarm();
    const source = endless();
    const map = mapTasks(farm, source, 'm', { concurrency: 3 });
    const answers = [map.next(), map.next(), map.next()];
    for (let i = 0; i < 5; i++) await quiet();
    farm.tasks[1].reject(new Error('second'));
    await quiet();
    expect(source.closed).toBe(1);
    farm.tasks[0].resolve('first');
    expect(await answers[0]).toEqual({ done: false, value: 'first' });
    await expect(answers[1]).rejects.toThrow('second');
    expect(await answers[2]).toEqual({ done: true, value: undefined });
    farm.tasks[2].reject(new Error('nobody listens'));
    await quiet();
  });

  test('a failed task comes at once with ordered: false', async () => {
    const farm = new FakeFarm();
    const map = mapTasks(farm, [1, 2], 'm', { ordered: false });
    const answer = map.next();
    farm.tasks[1].reject(new Error('second'));
    await expect(answer).rejects.toThrow('second');
  });

  test.each([true, false])('an error of the source comes after the results before it (ordered: %p)', async (ordered) => {
    const farm = new FakeFarm();
    function* broken() {
      yield 1;
      throw new Error('no more');
    }
    const map = mapTasks(farm, broken(), 'm', { ordered });
    const answers = [map.next(), map.next(), map.next()];
    await quiet();
    farm.tasks[0].resolve('one');
    expect(await answers[0]).toEqual({ done: false, value: 'one' });
    await expect(answers[1]).rejects.toThrow('no more');
    expect(await answers[2]).toEqual({ done: true, value: undefined });
  });

  /** What the iterator gives first, then an item. */
  const source = (...steps) => ({ [Symbol.asyncIterator]: () => ({ next: async () => steps.shift() }) });
  const throwing = (name) => Object.defineProperty({}, name, { get: () => JSON.parse('?') });

  test.each([
    ['a result whose value is a getter that throws', () => source({ value: 1 }, throwing('value'))],
    ['a result whose done is a getter that throws', () => source({ value: 1 }, throwing('done'))],
    ['an item whose then is a getter that throws', () => source({ value: 1 }, { value: throwing('then') })],
    ['the same of a source that is not asynchronous', () => [1, throwing('then')]],
    ['an item whose then throws', () => [1, { then: () => JSON.parse('?') }]],
  ])('%s is an error of the source', async (_, makeSource) => {
    const map = mapTasks(new QuickFarm(), makeSource(), 'm');
    expect(await map.next()).toEqual({ done: false, value: 10 });
    await expect(map.next()).rejects.toThrow(/JSON/);
    expect(await map.next()).toEqual({ done: true, value: undefined });
  });

  test('an item whose then answers twice is one item', async () => {
    const twice = {
      then(yes) {
        yes(1);
        yes(2);
      },
    };
    expect(await collect(mapTasks(new QuickFarm(), [twice, 3], 'm'))).toEqual([10, 30]);
  });

  test('a submit that throws is the failure of that task', async () => {
    const farm = new FakeFarm();
    farm.submit = () => {
      throw new Error('not accepted');
    };
    await expect(mapTasks(farm, [1], 'm').next()).rejects.toThrow('not accepted');
  });

  test('wrong arguments throw at once', () => {
    const farm = new FakeFarm();
    expect(() => mapTasks(farm, 5, 'm')).toThrow(/items of map must be an iterable/);
    expect(() => mapTasks(farm, null, 'm')).toThrow(/not null/);
    expect(() => mapTasks(farm, { [Symbol.asyncIterator]: () => 5 }, 'm')).toThrow(/items of map must be an iterable/);
    expect(() => mapTasks(farm, [], undefined)).toThrow(/method must be a string/);
    expect(() => mapTasks(farm, [], 'm', { concurrency: -1 })).toThrow(/^concurrency must be/);
  });
});

describe('signal', () => {
  test('goes along with each task and ends the iteration with its reason', async () => {
    const farm = new FakeFarm();
    const controller = new AbortController();
    const source = endless();
    const map = mapTasks(farm, source, 'm', { signal: controller.signal });
    const answer = map.next();
    await quiet();
    expect(farm.tasks[0].options).toMatchObject({ signal: controller.signal });
    controller.abort(new Error('stop it'));
    await expect(answer).rejects.toThrow('stop it');
    expect(await map.next()).toEqual({ done: true, value: undefined });
    expect(source.closed).toBe(1);
  });

  test('that is aborted before reads nothing', async () => {
    const source = endless();
    await expect(mapTasks(new FakeFarm(), source, 'm', { signal: AbortSignal.abort(new Error('before')) }).next()).rejects.toThrow('before');
    expect(source.read).toBe(0);
  });

  test('is let go of at the end', async () => {
    const controller = new AbortController();
    const removed = jest.spyOn(controller.signal, 'removeEventListener');
    await collect(mapTasks(new QuickFarm(), [1], 'm', { signal: controller.signal }));
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));
  });
});
