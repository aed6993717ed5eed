'use strict';

const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { WorkerFarm } = require('..');
const surroundings = require('./fixtures/guard/surroundings');
const { folder } = require('./fixtures/life/processes');

const dir = folder();
const finder = require.resolve('./fixtures/guard/surroundings');

describe('a process that a worker starts is given what one of the parent is, and nothing of farm’s', () => {
  /** Only what is of the kind of a farm's: the test runner's own descriptors differ from run to run. */
  const ours = ({ places }) => places.filter((place) => /memfd|anon_inode|fixtures/.test(place));

  const module = path.join(dir, 'module.js');
  fs.writeFileSync(module, `module.exports = require(${JSON.stringify(finder)});`);
  const script = path.join(dir, 'script.js');
  fs.writeFileSync(script, `process.on('message', () => process.send(require(${JSON.stringify(finder)})()));`);

  test.each([
    ['a module', module, (farm) => farm.run('')],
    ['a fork script', { fork: script }, (farm) => farm.service.request(1)],
  ])('%s', async (_, source, ask) => {
    const farm = new WorkerFarm(source, { max: 2, stderr: 'ignore' });
    const found = await ask(farm);
    await farm.close();
    const here = surroundings();
    expect(ours(found)).toEqual([]);
    expect(found.names).toEqual(here.names.filter((name) => name !== 'NODE_CHANNEL_FD' && name !== 'NODE_CHANNEL_SERIALIZATION_MODE' && name !== 'NODE_UNIQUE_ID'));
    expect(found.names.filter((name) => /^NODE_CHANNEL|^FARM_(?!SPEC|FORCE)/.test(name))).toEqual([]);
    // 0, 1, 2, what this process was given without close-on-exec itself, and no more.
    expect(found.count).toBeLessThanOrEqual(here.count);
  });

  test.each([
    ['a module', 'module.exports = () => 0', (file) => file, (farm) => farm.run('')],
    ['a fork script', `process.on('message', () => process.send(0))`, (file) => ({ fork: file }), (farm) => farm.service.request(1)],
  ])('also before it has bound itself to its parent: %s', async (_, text, sourceOf, ask) => {
    const file = path.join(dir, 'plain.js');
    const told = path.join(dir, 'told.json');
    const preload = path.join(dir, 'preload.js');
    fs.writeFileSync(file, text);
    fs.writeFileSync(preload, `require('node:fs').writeFileSync(${JSON.stringify(told)}, JSON.stringify(require(${JSON.stringify(finder)})()))`);
    const farm = new WorkerFarm(sourceOf(file), { max: 1, execArgv: ['--require', preload], stderr: 'ignore' });
    await ask(farm);
    await farm.close();
    const found = JSON.parse(fs.readFileSync(told, 'utf8'));
    expect(ours(found)).toEqual([]);
    expect(found.count).toBeLessThanOrEqual(surroundings().count);
    expect(found.names.filter((name) => /^NODE_CHANNEL|^FARM_(?!SPEC|FORCE)/.test(name))).toEqual([]);
  });

  test('the test sees what is handed on', () => {
    // Node closes what it was given under the first numbers before it executes another program.
    const stdio = [...Array(30).fill('ignore'), fs.openSync(finder)];
    stdio[1] = 'pipe';
    const env = { ...process.env, FARM_ANY: '1' };
    const ended = spawnSync(process.execPath, ['-p', `JSON.stringify(require(${JSON.stringify(finder)})())`], { stdio, env, encoding: 'utf8' });
    fs.closeSync(stdio[30]);
    const found = JSON.parse(ended.stdout);
    expect(found.count).toBe(surroundings().count + 1);
    expect(ours(found)).toEqual([finder]);
    expect(found.names).toContain('FARM_ANY');
  });
});

test('a module that closes descriptor 3 and opens a file in its place does not find farm’s words in it', async () => {
  const module = path.join(dir, 'closes.js');
  const file = path.join(dir, 'in-its-place');
  fs.writeFileSync(
    module,
    `const fs = require('node:fs');
     exports.take = (file) => { fs.closeSync(3); return fs.openSync(file, 'w'); };
     exports.failLater = () => { setImmediate(() => { throw new RangeError('later'); }); };`,
  );
  const farm = new WorkerFarm(module, { max: 1, stderr: 'ignore' });
  expect(await farm.run('take', [file])).toBe(3);
  const told = once(farm, 'workerError');
  await farm.run('failLater');
  const [error] = await told;
  expect(error).toMatchObject({ name: 'RangeError', message: 'later' });
  await farm.destroy();
  expect(fs.readFileSync(file, 'utf8')).toBe('');
});
