'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder, run } = require('../fixtures/command/run');
const { spawnSync } = require('node:child_process');
const { FARM, WORKERS } = require('../fixtures/command/run');
const { nameOf, pathOf, shown } = require('../../bin/map/names');

const STRANGE = ['sp ace.txt', 'new\nline.txt', '-dash.txt', '--out.txt', 'üñ\u{1F69C}.txt', "quo'te\".txt", '*.txt', 'br{a,b}.txt', '\ufffd.txt'];
const RAW = [Buffer.from([0xff, 0xfe, 0x2e, 0x74, 0x78, 0x74]), Buffer.concat([Buffer.from('cut-\u{1F69C}').subarray(0, 6), Buffer.from('.txt')])];

/** A folder in which each file holds the hex of its name. */
function strangeFolder() {
  const at = folder();
  fs.mkdirSync(path.join(at, 'in'));
  for (const name of [...STRANGE.map((text) => Buffer.from(text)), ...RAW]) fs.writeFileSync(Buffer.concat([Buffer.from(`${at}/in/`), name]), name.toString('hex'));
  return at;
}

const ALL = [...STRANGE.map((text) => Buffer.from(text)), ...RAW].map((name) => name.toString('hex')).sort();

/** @param {string} at */
function outputs(at) {
  return fs.readdirSync(at, { encoding: 'buffer' }).map((name) => {
    const content = fs.readFileSync(Buffer.concat([Buffer.from(`${at}/`), name]), 'utf8');
    return { name: name.toString('hex'), content };
  });
}

test('names of any bytes become strings and come back', () => {
  for (const bytes of [...RAW, Buffer.from([0xed, 0xb2, 0x80]), Buffer.from([0xe2, 0x82]), Buffer.from([0xc0, 0xaf]), Buffer.from([0x61, 0xf0, 0x9f, 0x62])]) {
    const name = nameOf(bytes);
    expect(pathOf(name)).toEqual(bytes);
    expect(JSON.parse(JSON.stringify(name))).toBe(name);
  }
  for (const text of STRANGE) expect(pathOf(nameOf(Buffer.from(text)))).toBe(text);
  expect(shown('a\nb')).toBe('"a\\nb"');
});

test('a glob finds all names, the function gets each, and the outputs are called so', async () => {
  const at = strangeFolder();
  const { code, stderr } = await run(['--method', 'content', '--out', 'out', '--', 'in/**'], { cwd: at });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const found = outputs(path.join(at, 'out'));
  expect(found.map(({ name }) => name).sort()).toEqual(ALL);
  for (const { name, content } of found) expect(content).toBe(name);
});

test('names from standard input, separated by zero bytes', async () => {
  const at = strangeFolder();
  const input = Buffer.concat(ALL.flatMap((hex) => [Buffer.from('in/'), Buffer.from(hex, 'hex'), Buffer.of(0)]));
  const { code, stdout } = await run(['-0', '--ordered', '--method', 'contentLine'], { cwd: at, input });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${ALL.join('\n')}\n` });
});

test('names from the shell, behind --', () => {
  const at = strangeFolder();
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `cd in && exec "${process.execPath}" "${FARM}" map "${WORKERS}" --ordered --method contentLine -- *`], { cwd: at, encoding: 'utf8' });
  expect({ status, names: stdout.trimEnd().split('\n').sort() }).toEqual({ status: 0, names: ALL });
  expect(stderr).toContain(`${ALL.length} done, 0 failed`);
});

test('a journal and a folder for the outputs whose names are any bytes', () => {
  const at = folder({ 'a.txt': 'a' });
  const map = `"${process.execPath}" "${FARM}" map "${WORKERS}" --method upperFile --resume $'j\\xff' --out $'o\\xff' a.txt`;
  const { status, stderr } = spawnSync('bash', ['-c', `${map} && ${map} && cat $'o\\xff/a.txt'`], { cwd: at, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^farm: 1 done, 0 failed in [^]*^farm: 0 done, 0 failed, 1 done before/m) });
  expect(fs.readdirSync(at, { encoding: 'buffer' }).map((name) => name.toString('latin1')).sort()).toEqual(['a.txt', 'j\xff', 'o\xff']);
});

test('what the function gets with --as', async () => {
  const at = folder({ 'a.json': '{"a":1}' });
  const kinds = async (/** @type {string[]} */ ...args) => JSON.parse((await run(['--method', 'kind', ...args], { cwd: at, input: '{"a":1}\n' })).stdout);
  const hex = Buffer.from('{"a":1}').toString('hex');
  expect(await kinds('a.json')).toEqual({ type: 'string', value: 'a.json' });
  expect(await kinds('--as', 'text', 'a.json')).toEqual({ type: 'string', value: '{"a":1}' });
  expect(await kinds('--as', 'buffer', 'a.json')).toEqual({ type: 'buffer', value: hex });
  expect(await kinds('--as', 'json', 'a.json')).toEqual({ type: 'object', value: { a: 1 } });
  expect(await kinds('--lines')).toEqual({ type: 'string', value: '{"a":1}' });
  expect(await kinds('--lines', '--as', 'buffer')).toEqual({ type: 'buffer', value: hex });
  expect(await kinds('--lines', '--as', 'json')).toEqual({ type: 'object', value: { a: 1 } });
  expect(await kinds('--ndjson')).toEqual({ type: 'object', value: { a: 1 } });
});

test('lines of several files, numbered in each; a file is done once however often it is named', async () => {
  const at = folder({ one: '0\n1\n', two: '2\n3', 'x/a': 'a' });
  const { code, stdout, stderr } = await run(['--lines', '--ordered', '--method', 'failOdd', 'one', 'two'], { cwd: at });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '0\n2\n' });
  expect(stderr).toMatch(/^farm: one, line 2: RangeError: 1 is odd$/m);
  expect(stderr).toMatch(/^farm: two, line 2: RangeError: 3 is odd$/m);
  expect(await run(['--method', 'upperFile', 'x/a', './x/a', 'x/*', 'x/{a,b}'], { cwd: at })).toMatchObject({ code: 0, stdout: 'A' });
});
