'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { resolveWorker } = require('../lib/resolve');

/** @type {string} */
let root;

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'farm-resolve-')));
  const files = [
    'exact.js', 'only-mjs.mjs', 'only-ts.ts', 'both.js', 'both.ts', 'module-ts.mts', 'no-extension', 'odd name #1.js',
    'with-index/index.js', 'shadow/index.js', 'shadow.cjs', 'first/same.js', 'second/same.js', 'second/later.js',
    'first/node_modules/tool/package.json', 'first/node_modules/tool/main.js', 'first/node_modules/tool/worker.js',
  ];
  for (const file of files) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), file.endsWith('.json') ? '{"name":"tool","main":"main.js"}' : '');
  }
});

afterAll(() => fs.rmSync(root, { recursive: true }));

const at = (...parts) => path.join(root, ...parts);
const find = (source, ...directories) => path.relative(root, resolveWorker(source, directories.length > 0 ? directories.map((name) => at(name)) : [root]).file);

function failure(...args) {
  try {
    resolveWorker(...args);
  } catch (error) {
    return error;
  }
  throw new Error(`${args[0]} was found`);
}

describe('a path', () => {
  test.each([
    ['exact.js', 'exact.js'],
    ['./exact.js', 'exact.js'],
    ['exact', 'exact.js'],
    ['./only-mjs', 'only-mjs.mjs'],
    ['only-ts', 'only-ts.ts'],
    ['both', 'both.js'],
    ['only-ts.js', 'only-ts.ts'],
    ['module-ts.mjs', 'module-ts.mts'],
    ['no-extension', 'no-extension'],
    ['shadow', 'shadow.cjs'],
    ['./first/../exact.js', 'exact.js'],
    ['odd name #1.js', 'odd name #1.js'],
  ])('%s is %s', (source, file) => {
    expect(find(source)).toBe(file);
    expect(find(at(source))).toBe(file);
  });

  test('needs no URL beside its file', () => {
    expect(resolveWorker(at('odd name #1.js'))).toEqual({ file: at('odd name #1.js') });
  });

  test('is taken from the first directory that has it', () => {
    expect(find('same.js', 'first', 'second')).toBe(path.join('first', 'same.js'));
    expect(find('same.js', 'second', 'first')).toBe(path.join('second', 'same.js'));
    expect(find('later.js', 'first', 'second')).toBe(path.join('second', 'later.js'));
  });
});

describe('a file: URL', () => {
  test.each([
    ['object', (url) => url],
    ['string', (url) => url.href],
  ])('as %s is its file', (_, form) => {
    const url = pathToFileURL(at('odd name #1.js'));
    expect(resolveWorker(form(url))).toEqual({ file: at('odd name #1.js') });
  });

  test('keeps its query', () => {
    const url = new URL('?v=2#x', pathToFileURL(at('exact.js')));
    expect(resolveWorker(url)).toEqual({ file: at('exact.js'), url: url.href });
  });

  test.each(['http://localhost/worker.js', 'data:text/javascript,1', 'node://fs'])('is not %s', (source) => {
    expect(failure(source)).toMatchObject({ code: 'ERR_FARM_START', reason: 'resolve' });
    expect(failure(source).message).toMatch('no file: URL');
  });
});

describe('a package name', () => {
  test('is looked up from the directories', () => {
    expect(find('tool', 'second', 'first')).toBe(path.join('first', 'node_modules', 'tool', 'main.js'));
    expect(find('tool/worker', 'first')).toBe(path.join('first', 'node_modules', 'tool', 'worker.js'));
  });

  test('that is exported to import only is told how it is found', () => {
    const folder = at('third', 'node_modules', 'modern');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"modern","exports":{"import":"./main.mjs"}}');
    fs.writeFileSync(path.join(folder, 'main.mjs'), '');
    // Not in this process: Jest looks packages up by a resolver of its own.
    const answer = (...options) => execFileSync(process.execPath, options, { cwd: at('third'), encoding: 'utf8' }).trim();
    const resolve = JSON.stringify(require.resolve('../lib/resolve'));
    const told = answer('--eval', `try { require(${resolve}).resolveWorker('modern') } catch ({ message }) { console.log(message) }`);
    expect(told).toMatch('give import.meta.resolve("modern")');
    const url = answer('--input-type=module', '--eval', `console.log(import.meta.resolve('modern'))`);
    expect(resolveWorker(url).file).toBe(path.join(folder, 'main.mjs'));
  });

  test('does not name a module of Node.js', () => {
    expect(failure('fs', [root]).message).toMatch('fs (a module of Node.js itself)');
  });
});

describe('a fork source', () => {
  test('is what it holds', () => {
    expect(resolveWorker({ fork: 'exact.js' }, [root]).file).toBe(at('exact.js'));
    expect(resolveWorker({ fork: pathToFileURL(at('exact.js')) }).file).toBe(at('exact.js'));
  });

  test.each([[{ fork: '' }], [{ fork: undefined }], [{ fork: { fork: 'exact.js' } }]])('%p is refused', (source) => {
    expect(failure(source, [root])).toMatchObject({ code: 'ERR_FARM_START', reason: 'resolve' });
  });
});

describe('what is nowhere', () => {
  test('is refused with every place', () => {
    const error = failure('absent', [at('first'), at('second')]);
    expect(error).toMatchObject({ code: 'ERR_FARM_START', reason: 'resolve' });
    expect(error.looked).toHaveLength(4);
    for (const place of [at('first', 'absent'), at('second', 'absent'), `package absent from ${at('first')}`, `package absent from ${at('second')}`]) {
      expect(error.message).toMatch(place);
    }
  });

  test('a relative path is no package', () => {
    expect(failure('./tool', [at('first')]).looked).toEqual([expect.stringContaining(at('first', 'tool'))]);
  });

  test('a directory is named as one', () => {
    expect(failure('with-index', [root]).message).toMatch(`${at('with-index')} (a directory; name the file in it)`);
    expect(failure(pathToFileURL(at('with-index'))).message).toMatch('a directory');
  });

  test.each([[''], ['  '], [undefined], [null], [5], [true], [{}], [[]], [() => {}], [Symbol('x')], ['a\0b'], [{ href: 1 }]])('%p is refused', (source) => {
    expect(failure(source, [root])).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_START', reason: 'resolve' });
  });

  test('is told in a message of printable characters that has an end', () => {
    const { message, looked } = failure(`./\0\n${'x'.repeat(100_000)}`, [root]);
    expect(message).not.toMatch(/[^\x20-\x7e\n]/);
    expect(message.split('\n')).toHaveLength(2);
    expect(message.length).toBeLessThan(1500);
    expect(looked[0].length).toBeGreaterThan(100_000);
  });

  test('a file below a file is refused', () => {
    expect(failure(at('exact.js', 'deeper.js'))).toMatchObject({ code: 'ERR_FARM_START' });
  });
});

describe('the calling file', () => {
  const callers = path.join(__dirname, 'fixtures', 'callers');
  const ask = (script, source, ...nodeOptions) =>
    execFileSync(process.execPath, [...nodeOptions, path.join(callers, script), source], { cwd: root, encoding: 'utf8' }).trim();

  test.each(['ask-commonjs.cjs', 'ask-module.mjs'])('%s is looked beside first, then in the working directory', (script) => {
    expect(ask(script, 'beside.js')).toBe(path.join(callers, 'beside.js'));
    expect(ask(script, './exact.js')).toBe(at('exact.js'));
  });

  test('is found with source maps on', () => {
    expect(ask('ask-commonjs.cjs', 'beside', '--enable-source-maps')).toBe(path.join(callers, 'beside.js'));
  });

  test('does not have to be there: with --eval the working directory is left', () => {
    const program = `console.log(require(${JSON.stringify(path.resolve(__dirname, '../lib/resolve'))}).resolveWorker('exact.js').file)`;
    expect(execFileSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' }).trim()).toBe(at('exact.js'));
  });

  test('does not have to be found: frozen intrinsics leave the working directory', () => {
    expect(ask('ask-commonjs.cjs', 'exact.js', '--frozen-intrinsics', '--no-warnings')).toBe(at('exact.js'));
  });

  test('is found under Jest, and stack traces are left as they were', () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    expect(resolveWorker('./fixtures/callers/beside').file).toBe(path.join(callers, 'beside.js'));
    expect(Error.prepareStackTrace).toBe(prepareStackTrace);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  test('is found when stack traces are switched off', () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      expect(resolveWorker('./fixtures/callers/beside.js').file).toBe(path.join(callers, 'beside.js'));
      expect(Error.stackTraceLimit).toBe(0);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
});
