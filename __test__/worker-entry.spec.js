'use strict';

// A worker loads the package's files by itself, without Node's loader (lib/worker/entry.js); nobody is to notice.

const { execFileSync } = require('node:child_process');
const { symlinkSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { WorkerFarm } = require('..');
const { folder } = require('./fixtures/life/processes');

const ROOT = path.dirname(__dirname);
const HOOKS = path.join(__dirname, 'fixtures', 'hooks');
const dir = folder();
let farm;
afterEach(() => farm?.destroy());

test('an ES module is loaded, its errors are FarmErrors to it, and nothing is said about it', async () => {
  let said = '';
  farm = new WorkerFarm(path.join(__dirname, 'fixtures', 'calls', 'own-errors.mjs'), { max: 1, stderr: 'pipe' });
  farm.on('stderr', (chunk) => {
    said += chunk;
  });
  const { ours, code, where } = await farm.run('refused');
  expect([ours, code]).toEqual([true, 'ERR_FARM_NOT_CLONEABLE']);
  // The names of our files are in the stack as ever.
  expect(where).toContain(path.join('lib', 'worker', 'context.js'));
  await farm.close();
  expect(said).toBe('');
});

test('hooks that hand Node the text of files change nothing, in the program and in its workers', () => {
  const args = ['--no-warnings', '--import', path.join(HOOKS, 'register.mjs'), path.join(HOOKS, 'program.mjs')];
  expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual([true, true, 'ERR_FARM_NO_METHOD']);
});

test('a package under a link may be loaded ahead of the worker, whichever of its places that is', () => {
  const link = path.join(dir, 'linked');
  symlinkSync(ROOT, link);
  const ahead = path.join(dir, 'ahead.cjs');
  writeFileSync(ahead, `require(${JSON.stringify(link)});`);
  const source = `
    const { createService, farmOf } = require(${JSON.stringify(link)});
    const service = createService(${JSON.stringify(path.join(__dirname, 'fixtures', 'calls', 'own-errors.mjs'))}, { max: 1, execArgv: ['--require', ${JSON.stringify(ahead)}] });
    service.refused().then(({ code }) => console.log(code), (error) => console.log(error.message)).then(() => farmOf(service).close());`;
  const asked = (...args) => execFileSync(process.execPath, [...args, '-e', source], { encoding: 'utf8', cwd: dir });
  expect([asked(), asked('--preserve-symlinks')]).toEqual(['ERR_FARM_NOT_CLONEABLE\n', 'ERR_FARM_NOT_CLONEABLE\n']);
});
