'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { folder, run } = require('./fixtures/command/run');
const { startOf } = require('../bin/map/processes');
const { Temporaries } = require('../bin/map/temporaries');

/** Names of temporary files of somebody. @param {{ machine?: string, pid?: number, start?: string, journal?: string }} whose */
function named({ machine, pid, start, journal = '' }) {
  const [, ours] = /** @type {RegExpExecArray} */ (/\.farm-map-(\w+)\./.exec(new Temporaries('').in('', 0)));
  return `.farm-map-${machine ?? ours}.${pid ?? process.pid}.${start ?? startOf(process.pid)}.${journal}-7.tmp`;
}

const dead = () => /** @type {number} */ (spawnSync('true').pid);

test('what killed commands have left beside the outputs is removed, and nothing else', async () => {
  const left = [named({ pid: dead() }), named({ start: '1' }), named({ pid: dead(), journal: 'abc' })];
  const kept = [named({}), named({ machine: '00000000', pid: dead() }), named({ journal: 'abc' }), '.farm-map-notes.tmp', `x${named({ pid: dead() })}`];
  const files = Object.fromEntries([...left, ...kept].flatMap((name) => [[`out/${name}`, ''], [`out/below/${name}`, '']]));
  const at = folder({ ...files, 'in/a': 'a', 'in/below/b': 'b' });
  expect(await run(['--method', 'upperFile', '--out', 'out', 'in/**'], { cwd: at })).toMatchObject({ code: 0 });
  expect(fs.readdirSync(path.join(at, 'out')).sort()).toEqual([...kept, 'a', 'below'].sort());
  expect(fs.readdirSync(path.join(at, 'out/below')).sort()).toEqual([...kept, 'b'].sort());
});

(process.getuid?.() === 0 ? test : test.skip)('not what another user has left', async () => {
  const name = named({ pid: dead() });
  const at = folder({ [`out/${name}`]: '', 'in/a': 'a' });
  fs.chownSync(path.join(at, 'out', name), 65534, 65534);
  expect(await run(['--method', 'upperFile', '--out', 'out', 'in/a'], { cwd: at })).toMatchObject({ code: 0 });
  expect(fs.readdirSync(path.join(at, 'out')).sort()).toEqual([name, 'a']);
});

test('those of the same journal are removed wherever they were made', async () => {
  const at = folder({ 'in/a': 'a', 'in/b': 'b' });
  const args = ['--method', 'failUnless', '--out', 'out', '--resume', 'journal', 'in/a'];
  expect((await run(args, { cwd: at })).code).toBe(1);
  const { id } = JSON.parse(fs.readFileSync(path.join(at, 'journal'), 'utf8').split('\n')[0]);
  for (const name of [named({ machine: '00000000', journal: id }), named({ machine: '00000000', journal: 'other' })]) fs.writeFileSync(path.join(at, 'out', name), '');
  fs.mkdirSync(path.join(at, 'ok-in'));
  fs.writeFileSync(path.join(at, 'ok-in/a'), '');
  expect((await run(args, { cwd: at })).code).toBe(0);
  expect(fs.readdirSync(path.join(at, 'out')).sort()).toEqual([named({ machine: '00000000', journal: 'other' }), 'a'].sort());
});

test('what is being written when all is given up does not stay', async () => {
  const at = folder();
  const temporaries = new Temporaries('');
  let ended = () => {};
  const work = temporaries.replace(path.join(at, 'target'), 0, async (file) => {
    fs.writeFileSync(file, 'half');
    await new Promise((resolve) => {
      ended = () => resolve(undefined);
    });
  });
  expect(fs.readdirSync(at)).toHaveLength(1);
  await temporaries.discard();
  expect(fs.readdirSync(at)).toEqual([]);
  ended();
  await expect(work).rejects.toMatchObject({ code: 'ENOENT' });
  expect(fs.readdirSync(at)).toEqual([]);
});

test('a write that fails leaves nothing', async () => {
  const at = folder();
  const temporaries = new Temporaries('');
  const broken = async (/** @type {string | Buffer} */ file) => {
    fs.writeFileSync(file, 'half');
    throw new Error('broken');
  };
  await expect(temporaries.replace(path.join(at, 'target'), 0, broken)).rejects.toThrow('broken');
  expect(fs.readdirSync(at)).toEqual([]);
});
