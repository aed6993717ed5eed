'use strict';

// What V8 made of the package's files when it was built (scripts/code-cache.mjs) is taken for these files, by this Node, and
// for nothing else (lib/worker/entry.js).

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
let home;
let copy;

beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-code-'));
});
beforeEach(() => {
  copy = fs.mkdtempSync(path.join(home, 'copy-'));
  const built = fs.readdirSync(ROOT).filter((name) => /^farm(-guard)?\.linux/.test(name));
  for (const name of ['index.js', 'native.js', 'package.json', ...built]) fs.copyFileSync(path.join(ROOT, name), path.join(copy, name));
  fs.cpSync(path.join(ROOT, 'lib'), path.join(copy, 'lib'), { recursive: true, filter: (file) => !file.endsWith('code-cache') });
  fs.cpSync(path.join(ROOT, 'scripts'), path.join(copy, 'scripts'), { recursive: true });
  fs.writeFileSync(path.join(copy, 'worker.js'), `
    exports.taken = () => require('./lib/worker/entry').scriptsOf('worker').map(([name, script]) => [name, script.cachedDataRejected]);
  `);
  fs.writeFileSync(path.join(copy, 'program.js'), `
    const { inspect } = require('node:util');
    const { createService, farmOf } = require('.');
    (async () => {
      const service = createService('./worker.js', { max: 1, execArgv: JSON.parse(process.argv[2] || '[]') });
      const worker = await service.taken();
      const ours = require('./lib/worker/entry').scriptsOf('farm').map(([name, script]) => [name, script.cachedDataRejected]);
      const { stack } = await service.nothing().catch((error) => error);
      console.log(JSON.stringify({ worker: Object.fromEntries(worker), farm: Object.fromEntries(ours), stack, shown: inspect(service) }));
      await farmOf(service).close();
    })();
  `);
  node(path.join('scripts', 'code-cache.mjs'));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

function node(...args) {
  return execFileSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
}

/** What became of the code of each file that the program and its worker load: `false` if it was taken. */
function started(...args) {
  return JSON.parse(node(...args, 'program.js'));
}

const codeFiles = () => fs.readdirSync(path.join(copy, 'lib', 'code-cache')).map((name) => path.join(copy, 'lib', 'code-cache', name));
const outcomes = ({ worker, farm }) => [...new Set([...Object.values(worker), ...Object.values(farm)])];

test('all that a program and its worker load at first is taken', () => {
  const { worker, farm } = started();
  expect(Object.keys(worker)).toEqual(expect.arrayContaining(['worker/bootstrap', 'worker/loop', 'codec']));
  expect(Object.keys(farm)).toEqual(expect.arrayContaining(['farm', 'service', 'options']));
  expect(outcomes({ worker, farm })).toEqual([false]);
});

test('what was read for that does not stay in memory', () => {
  fs.writeFileSync(path.join(copy, 'held.js'), `
    require('.');
    require('node:v8').setFlagsFromString('--expose-gc');
    const gc = require('node:vm').runInNewContext('gc');
    const rejected = require('./lib/worker/entry').scriptsOf('farm').map(([, script]) => script.cachedDataRejected);
    // V8 gives memory back beside the program.
    const look = (left) => {
      gc();
      const held = process.memoryUsage().arrayBuffers;
      if (left > 0 && held > Number(process.argv[2])) setTimeout(look, 5, left - 1);
      else console.log(JSON.stringify({ rejected, held }));
    };
    setImmediate(look, 500);
  `);
  const [farm] = codeFiles().filter((file) => path.basename(file).startsWith('farm-'));
  const { size } = fs.statSync(farm);
  const { rejected, held } = JSON.parse(node('held.js', String(size)));
  expect([...new Set(rejected)]).toEqual([false]);
  expect(held).toBeLessThan(size);
});

test('nothing is written anew while the files stay what they are', () => {
  const written = () => codeFiles().map((file) => fs.statSync(file).ino);
  const before = written();
  node(path.join('scripts', 'code-cache.mjs'));
  expect(written()).toEqual(before);
});

test('a file that was changed is read, even where its length is the same', () => {
  const file = path.join(copy, 'lib', 'service-proxy.js');
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, text.replaceAll('[farm service', '[FARM service'));
  const { farm, shown } = started();
  expect(shown).toContain('[FARM service');
  expect(farm['service-proxy']).toBeUndefined();
  expect(farm['farm']).toBe(false);
});

test('files of another time with the same text are what was compiled, as those of an installed package are', () => {
  const then = new Date('1985-10-26T08:15:00Z');
  for (const name of fs.readdirSync(path.join(copy, 'lib'), { recursive: true })) fs.utimesSync(path.join(copy, 'lib', name), then, then);
  expect(outcomes(started())).toEqual([false]);
});

test.each([
  ['cut off', (bytes) => bytes.subarray(0, bytes.length - 100)],
  ['empty', () => Buffer.alloc(0)],
  ['empty in its middle', (bytes) => Buffer.from(bytes).fill(0, 65536, 2 * 65536)],
  ['something else', () => Buffer.from('{"files":{}}')],
  ['of another binary', (bytes) => Buffer.from(bytes.toString('latin1').replace(/"node":(\d)/, (_, digit) => `"node":${(Number(digit) % 9) + 1}`), 'latin1')],
])('code that is %s is not taken', (_, damaged) => {
  for (const file of codeFiles()) fs.writeFileSync(file, damaged(fs.readFileSync(file)));
  // Left out of JSON: there was none.
  expect(outcomes(started())).toEqual([]);
  node(path.join('scripts', 'code-cache.mjs'));
  expect(outcomes(started())).toEqual([false]);
});

test('code for other flags of V8 is not taken', () => {
  const { farm } = started('--stack-size=900');
  expect([...new Set(Object.values(farm))]).toEqual([true]);
});

test('a package that was moved names its files where they are', () => {
  const there = path.join(home, 'moved');
  fs.renameSync(copy, there);
  const before = copy;
  copy = there;
  const { stack } = started();
  expect(stack).toContain(path.join(there, 'lib'));
  expect(stack).not.toContain(before);
});

test('a module that Node loads ahead of the worker may use farm', () => {
  fs.writeFileSync(path.join(copy, 'ahead.js'), "require('.');\n");
  const { worker } = JSON.parse(node('program.js', '["--require", "./ahead.js"]'));
  expect(worker['worker/bootstrap']).toBe(false);
});
