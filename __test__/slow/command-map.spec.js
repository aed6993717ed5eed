'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder, run } = require('../fixtures/command/run');

test('lines of standard input, in order', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ü`);
  const { code, stdout, stderr } = await run(['--lines', '--ordered', '--method', 'upper'], { input: lines.join('\n') });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${lines.join('\n').toUpperCase()}\n` });
  expect(stderr).toMatch(/^farm: 20 000 done, 0 failed in /m);
});

test('without --ordered every result once', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => String(i));
  const { code, stdout } = await run(['--lines', '--method', 'upper'], { input: `${lines.join('\n')}\n` });
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n').sort((a, b) => Number(a) - Number(b))).toEqual(lines);
});

test('--ordered: a late first result comes first', async () => {
  const signal = path.join(folder(), 'signal');
  const { code, stdout } = await run(['--lines', '--ordered', '--method', 'laterForFirst', '-j', '2'], { input: `wait ${signal}\nsecond\ntouch ${signal}\n` });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'wait\nsecond\ntouch\n' });
});

test('what is written: strings and Buffers as they are, others as JSON, undefined not at all', async () => {
  const cases = [
    ['same', '--lines', 'a\nb', 'ab'],
    ['bytes', '--lines', '00ff\n7a', '\x00�z'],
    ['same', '--ndjson', '{"a":1}\n\nnull\n[2]\n', '{"a":1}\nnull\n[2]\n'],
    ['nothing', '--lines', 'a\nb\n', ''],
  ];
  for (const [method, mode, input, expected] of cases) {
    expect(await run([mode, '--ordered', '--method', method, '-j', '1'], { input })).toMatchObject({ code: 0, stdout: expected });
  }
});

test('files keep their path below the common directory, with another ending', async () => {
  const at = folder({ 'src/a.txt': 'a', 'src/deep/er/b.txt': 'b', 'src/c': 'c', 'src/.hidden.txt': 'not matched' });
  const { code, stdout } = await run(['--method', 'upperFile', '--out', 'out', '--ext', '.up.txt', 'src/**/*.txt', 'src/c'], { cwd: at });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const files = fs.readdirSync(path.join(at, 'out'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map((entry) => path.relative(at, path.join(entry.parentPath ?? entry.path, entry.name))).sort()).toEqual(['out/a.up.txt', 'out/c.up.txt', 'out/deep/er/b.up.txt']);
  expect(fs.readFileSync(path.join(at, 'out/deep/er/b.up.txt'), 'utf8')).toBe('B');
});

test('what workers print goes to standard error, each line with its worker', async () => {
  const { code, stdout, stderr } = await run(['--lines', '--method', 'prints', '-j', '1'], { input: 'x\n' });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'x\n' });
  expect(stderr).toMatch(/^\[worker 1\] printed x$/m);
  expect(stderr).toMatch(/^\[worker 1\] complained x$/m);
});

test('what a worker throws does nothing to the terminal', async () => {
  const { code, stderr } = await run(['--lines', '--method', 'throwsControls'], { input: 'x\n' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^farm: line 1: \\x1b\[2Jgone\\x07 \\x0dover \\x9b$/m);
});

test('failures are named and the others done; exit code 1', async () => {
  const { code, stdout, stderr } = await run(['--lines', '--ordered', '--method', 'failOdd'], { input: '0\n1\n2\n3\n4\n' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '0\n2\n4\n' });
  expect(stderr).toMatch(/^farm: line 2: RangeError: 1 is odd$/m);
  expect(stderr).toMatch(/^farm: line 4: RangeError: 3 is odd$/m);
  expect(stderr).toMatch(/^farm: 3 done, 2 failed in /m);
  expect(stderr).not.toContain('second line');
});
