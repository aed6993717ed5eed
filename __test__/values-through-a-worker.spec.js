'use strict';

const assert = require('node:assert');
const path = require('node:path');
const { WorkerFarm } = require('..');
const { clone } = require('./fixtures/round-trip');
const { carried, refused, Point } = require('./fixtures/calls/values');

/** One worker for all tests: each also shows that those before have not hurt it. @param {string} name */
function farmFor(name) {
  const farm = new WorkerFarm(path.join(__dirname, 'fixtures', 'calls', name), { max: 1, min: 1 });
  afterAll(() => farm.destroy());
  return farm;
}

describe('values', () => {
  const { service } = farmFor('values.js');

  test.each(Object.keys(carried))('%s arrives there and comes back', async (name) => {
    const value = carried[name]();
    // A Buffer stays one; structured clone would make a Uint8Array of it.
    const expected = Buffer.isBuffer(value) ? value : clone(value);
    expect(await service.check(name, value)).toBe(true);
    assert.deepStrictEqual(await service.make(name), expected);
    assert.deepStrictEqual(await service.echo(value), expected);
    // Nothing was done to the original.
    assert.deepStrictEqual(clone(value), clone(carried[name]()));
  });

  test('an invalid Date stays one', async () => {
    for (const date of await service.echo([new Date(NaN), new Map([[1, new Date(NaN)]]).get(1)])) expect(date.getTime()).toBeNaN();
    expect((await service.echo(new Date(NaN))).getTime()).toBeNaN();
  });

  test('an instance of a class becomes a plain object', async () => {
    for (const result of [await service.instance(), await service.echo(new Point())]) {
      expect(result).toEqual({ x: 1, y: [2] });
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    }
  });

  test('identity is kept within a call, across its arguments', async () => {
    const one = { one: 1 };
    const [a, b] = await service.all(one, [one]);
    expect(b[0]).toBe(a);
  });
});

describe('a value that cannot be carried', () => {
  const farm = farmFor('values.js');
  const { service } = farm;
  const places = refused.map(([what, make, at], index) => [what, make, at, index]);

  test.each(places)('%s as argument rejects that call alone', async (_, make, at) => {
    const pid = await service.pid();
    const [error, ...others] = await Promise.all([service.echo(1, make()).catch((reason) => reason), service.echo(2), service.pid()]);
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NOT_CLONEABLE', path: expect.stringContaining(`args[1]${at === '' || at[0] === '[' ? at : `.${at}`}`) });
    expect(error.message).toContain(error.path);
    expect(others).toEqual([2, pid]);
  });

  test.each(places)('%s as result rejects that call alone', async (_, _make, at, index) => {
    const pid = await service.pid();
    const [error, ...others] = await Promise.all([service.makeRefused(index).catch((reason) => reason), service.echo(2), service.pid()]);
    // A generator or a promise as result is waited for or refused; a Promise inside is refused.
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_NOT_CLONEABLE', path: expect.stringContaining(`result${at === '' || at[0] === '[' ? at : `.${at}`}`) });
    expect(error.message).toContain(error.path);
    expect(others).toEqual([2, pid]);
  });

  test.each(places)('%s as progress throws in the worker', async (_, _make, at, index) => {
    expect(await farm.run('emitRefused', [index], { onProgress() {} })).toEqual({ code: 'ERR_FARM_NOT_CLONEABLE', path: expect.stringContaining(at) });
  });

  test('the cause of a failing getter is its error', async () => {
    const value = { get bad() { throw new RangeError('from the getter'); } };
    await expect(service.echo(value)).rejects.toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', cause: new RangeError('from the getter') });
  });
});

describe.each(['throwSync', 'throwAsync'])('%s', (method) => {
  const { service } = farmFor('throwing.js');

  /** @param {string} name */
  async function rejection(name) {
    const pid = await service.pid();
    const outcome = await service[method](name).then(
      () => assert.fail('it did not reject'),
      (reason) => ({ reason }),
    );
    expect(await service.pid()).toBe(pid);
    return outcome.reason;
  }

  test('a subclass keeps name, message, properties and the stack of the worker', async () => {
    const error = await rejection('subclass');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'HttpError', message: 'not found', code: 'E_HTTP', extra: { status: 404, headers: new Map([['a', 'b']]) } });
    expect(error.stack).toMatch(/^HttpError: not found\n {4}at .*throwing\.js/s);
    expect(error.stack).toContain('values-through-a-worker.spec.js');
  });

  test('causes to any depth', async () => {
    const error = await rejection('cause');
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ message: 'inner', cause: 'innermost' });
    expect(Object.hasOwn(await rejection('undefined as cause'), 'cause')).toBe(true);
  });

  test('the errors of an AggregateError', async () => {
    const error = await rejection('aggregate');
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toBe('several');
    expect(error.errors).toEqual([new RangeError('one'), 'two', new Error('three')]);
    expect(error.errors[0]).toBeInstanceOf(RangeError);
    expect(error.errors[2].cause).toBe(3);
  });

  test('a DOMException', async () => {
    const error = await rejection('DOMException');
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({ name: 'AbortError', message: 'stopped', code: 20 });
  });

  test('an error of the system', async () => {
    expect(await rejection('system')).toMatchObject({ code: 'ENOENT', syscall: 'open', path: '/does/not/exist', errno: expect.any(Number) });
  });

  test('what is no error, as it is', async () => {
    expect(await rejection('string')).toBe('just text');
    expect(await rejection('undefined')).toBeUndefined();
    expect(await rejection('null')).toBeNull();
    expect(await rejection('zero')).toBe(0);
    expect(await rejection('object')).toEqual({ reason: 'no error', nested: [1n] });
  });

  test('cycles', async () => {
    const error = await rejection('cycle');
    expect(error.self).toBe(error);
    expect(error.cause).toBe(error);
  });

  test('without the property that cannot be carried', async () => {
    const error = await rejection('function property');
    expect(error).toMatchObject({ message: 'with a function', code: 'E_FN' });
    expect(error).not.toHaveProperty('fn');
  });

  test.each(['function', 'symbol'])('a %s is described', async (name) => {
    expect(await rejection(name)).toMatchObject({ code: 'ERR_FARM_NOT_CLONEABLE', message: expect.stringMatching(new RegExp(name, 'i')) });
  });

  test('large ones', async () => {
    expect((await rejection('binary property')).bytes.equals(Buffer.alloc(100_000, 7))).toBe(true);
    expect((await rejection('huge message')).message).toHaveLength(500_000);
  });
});
