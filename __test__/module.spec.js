'use strict';

// Under Jest import() does not work without a flag, and a worker is a plain process anyway: the fixture load.cjs loads
// the modules in one and prints what it found.

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const MODULES = path.join(__dirname, 'fixtures', 'modules');
const stripsTypes = Boolean(process.features.typescript);
// Node.js 22 has it under the first name that it had.
const noStripping = ['--no-strip-types', '--no-experimental-strip-types'].find((flag) => process.allowedNodeEnvironmentFlags.has(flag));

/**
 * @param {string} file
 * @param {string} [names] methods to call with 3, by comma
 * @param {string[]} [nodeOptions]
 */
async function load(file, names = '', nodeOptions = []) {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, path.join(MODULES, 'load.cjs'), names, file]);
  const lines = stdout.trim().split('\n');
  return { ...JSON.parse(lines.at(-1)), lines };
}

describe('a module whose namespace looks like a promise', () => {
  test.each(['thenable.mjs', 'barrel.mjs'])('is loaded, and "then" is one of its functions (%s)', async (file) => {
    const found = await load(file, 'then,twice');
    expect(found).toMatchObject({ methods: ['then', 'twice'], calls: { then: { value: 'then 3' }, twice: { value: 6 } } });
  });

  test('one that only uses promises is loaded directly', async () => {
    expect(await load('chained.mjs', 'stack')).toMatchObject({ methods: ['later', 'stack'] });
  });
});

describe('a CommonJS module', () => {
  test('offers its own enumerable functions, no class, no constant', async () => {
    const found = await load('many.js', 'twice,viaThis,lazy,setup,hidden,broken,Shape,limit');
    expect(found).toMatchObject({ methods: ['twice', 'viaThis', 'lazy'], single: false, setup: 'set up', teardown: 'torn down' });
    expect(found.calls).toMatchObject({ twice: { value: 6 }, viaThis: { value: 7 }, lazy: { value: 103 } });
    for (const name of ['setup', 'hidden', 'broken', 'Shape', 'limit']) {
      expect(found.calls[name].error.code).toBe('ERR_FARM_NO_METHOD');
    }
  });

  test('that is a function can be called as such, and its properties too', async () => {
    const found = await load('single.js', ',plus');
    expect(found).toMatchObject({ methods: ['plus'], single: true, calls: { '': { value: 30 }, plus: { value: 4 } } });
  });

  test('that is an instance does not offer what its class has', async () => {
    const found = await load('inherited.js', 'own,inherited,constructor,toString');
    expect(found.methods).toEqual(['own']);
    expect(found.calls.own).toEqual({ value: 'own' });
    for (const name of ['inherited', 'constructor', 'toString']) expect(found.calls[name].error.code).toBe('ERR_FARM_NO_METHOD');
  });

  test('that was an ES module before it was compiled is taken for one', async () => {
    const found = await load('transpiled.js', ',named,default');
    expect(found).toMatchObject({ single: true, calls: { '': { value: 9 }, named: { value: 3 }, default: { value: 9 } } });
  });
});

describe('an ES module', () => {
  test('is waited for when it has top-level await', async () => {
    const found = await load('esm/top-level-await.js', ',times,default,Shape');
    expect(found).toMatchObject({ methods: ['default', 'times'], single: true, setup: 'set up' });
    expect(found.calls).toMatchObject({ '': { value: 42 }, times: { value: 21 }, default: { value: 42 }, Shape: { error: { code: 'ERR_FARM_NO_METHOD' } } });
  });

  test('may export an object of functions by default; its named exports go first', async () => {
    const found = await load('default-object.mjs', 'own,viaThis,named,');
    expect(found).toMatchObject({ single: false, teardown: 'torn down' });
    expect(found.methods.sort()).toEqual(['named', 'own', 'viaThis']);
    expect(found.calls).toMatchObject({ own: { value: 3 }, viaThis: { value: 4 }, named: { value: 'by name' }, '': { error: { code: 'ERR_FARM_NO_METHOD' } } });
  });

  test('is known by its syntax where the package says nothing', async () => {
    expect(await load('by-syntax.js', 'plus')).toMatchObject({ calls: { plus: { value: 7 } } });
  });
});

describe('a TypeScript module', () => {
  (stripsTypes ? test : test.skip).each(['typed.ts', 'typed.cts'])('%s is loaded where Node strips types', async (file) => {
    expect(await load(file, 'twice')).toMatchObject({ methods: ['twice'], calls: { twice: { value: 6 } } });
  });

  (stripsTypes ? test.skip : test).each(['typed.ts', 'typed.cts'])('%s is refused with the ways out elsewhere', async (file) => {
    const { failed } = await load(file);
    expect(failed).toMatchObject({ code: 'ERR_FARM_START', reason: 'load', cause: { code: 'ERR_UNKNOWN_FILE_EXTENSION' } });
    for (const way of [process.version, '22.18', "execArgv: ['--import', 'tsx']", 'compile it']) expect(failed.message).toContain(way);
  });

  test('with syntax that cannot be stripped is refused with the ways out', async () => {
    const { failed } = await load('enumerated.ts');
    expect(failed).toMatchObject({ code: 'ERR_FARM_START', reason: 'load' });
    expect(failed.message).toContain("execArgv: ['--import', 'tsx']");
    // Where types are stripped a newer Node.js is no way out.
    expect(failed.message.includes('22.18')).toBe(!stripsTypes);
  });

  test('is left to a loader that has registered the extension', async () => {
    const register = path.join(__dirname, 'fixtures', 'register-typescript.cjs');
    const found = await load('typed.cts', 'twice', [...(stripsTypes ? [noStripping] : []), '--require', register]);
    expect(found).toMatchObject({ calls: { twice: { value: 6 } } });
  });
});

describe('a module that does not load', () => {
  test.each([
    ['throws.js', 'TypeError', 'thrown while loading'],
    ['rejects.mjs', 'RangeError', 'rejected while loading'],
    ['syntax-error.js', 'SyntaxError', 'Unexpected token'],
    ['missing-dependency.js', 'Error', "Cannot find module './is-not-there'"],
  ])('%s is an error with the original and its stack inside', async (file, name, message) => {
    const { failed } = await load(file);
    expect(failed).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_START', reason: 'load', cause: { name } });
    expect(failed.message).toContain(path.join(MODULES, file));
    expect(failed.message).toContain(message);
    expect(failed.cause.message).toContain(message);
    expect(failed.cause.stack).toContain(path.join(MODULES, file));
  });

  test.each(['syntax-error.js', 'syntax-error.mjs'])('%s: the message of a syntax error says where it is', async (file) => {
    const { failed } = await load(file);
    expect(failed.message).toMatch(/SyntaxError: Unexpected token .* \(.*, line \d+\)$/);
    expect(failed.message.endsWith(`(${path.join(MODULES, file)}, line 2)`)).toBe(true);
  });

  test('may throw what is no error', async () => {
    const { failed } = await load('throws-string.js');
    expect(failed).toMatchObject({ code: 'ERR_FARM_START', reason: 'load' });
    expect(failed.message).toMatch(/failed to load: a string$/);
  });

  test('is not run a second time', async () => {
    const { lines } = await load('counts-loads.js');
    expect(lines.filter((line) => line === 'loaded')).toHaveLength(1);
  });
});

describe('a module without a function', () => {
  test.each([
    ['no-function.js', 'it exports limit: number, Shape: class'],
    ['empty.js', 'it exports nothing'],
    ['null.js', 'its export is null'],
    ['of-a-class.mjs', 'it exports an object of the class Counter, and methods of a class are not looked for; write exports.add = (...args) => object.add(...args)'],
    ['a-class.js', 'it exports the class Tools, and methods of a class are not looked for; write exports.twice = (...args) => Tools.twice(...args)'],
  ])('%s is refused and says what it has', async (file, what) => {
    const { failed } = await load(file);
    expect(failed).toMatchObject({ code: 'ERR_FARM_START', reason: 'load' });
    expect(failed.message).toContain(what);
  });
});

describe('a method that is not there', () => {
  test('is answered with those that are', async () => {
    const { error } = (await load('many.js', 'trice')).calls.trice;
    expect(error).toMatchObject({ code: 'ERR_FARM_NO_METHOD', methods: ['twice', 'viaThis', 'lazy'] });
    expect(error.message).toBe('many.js exports no function "trice". It exports: twice, viaThis, lazy.');
  });

  test('is told that the service itself can be called', async () => {
    expect((await load('single.js', 'minus')).calls.minus.error.message).toMatch('It exports: plus; the service itself can be called.');
  });

  test('is none of Object.prototype', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
    const { calls } = await load('many.js', names.join(','));
    for (const name of names) expect(Object.entries(calls).find(([key]) => key === name)?.[1] ?? calls[name]).toMatchObject({ error: { code: 'ERR_FARM_NO_METHOD' } });
  });

  test('does not print a hundred names', async () => {
    const { error } = (await load('hundred.js', 'absent')).calls.absent;
    expect(error.methods).toHaveLength(50);
    expect(error.message).toMatch(/method49, and 50 more\.$/);
  });
});
