'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder, run } = require('../fixtures/command/run');

/** Runs `log` over files with a journal; `ran()` tells and forgets which. */
function logging(files) {
  const at = folder({ ...files, log: '' });
  const log = path.join(at, 'log');
  return {
    at,
    journal: path.join(at, 'journal'),
    map: (/** @type {string[]} */ ...args) => run(['--resume', 'journal', '--worker-data', JSON.stringify({ log }), ...args], { cwd: at }),
    ran() {
      const lines = fs.readFileSync(log, 'utf8').split('\n').filter(Boolean).sort();
      fs.writeFileSync(log, '');
      return lines;
    },
  };
}

test('what is done is not done again; what failed is', async () => {
  const at = folder({ lines: '0\n1\n2\n' });
  const args = ['--lines', '--ordered', '--method', 'failUnless', '--resume', 'journal', 'lines'];
  expect(await run(args, { cwd: at })).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('0 done, 3 failed') });
  fs.writeFileSync(path.join(at, 'ok-1'), '');
  expect(await run(args, { cwd: at })).toMatchObject({ code: 1, stdout: '1\n', stderr: expect.stringContaining('1 done, 2 failed') });
  fs.writeFileSync(path.join(at, 'ok-0'), '');
  fs.writeFileSync(path.join(at, 'ok-2'), '');
  expect(await run(args, { cwd: at })).toMatchObject({ code: 0, stdout: '0\n2\n', stderr: expect.stringContaining('2 done, 0 failed, 1 done before') });
  expect(await run(args, { cwd: at })).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('0 done, 0 failed, 3 done before') });
});

test('a torn last line does not count: its inputs are done again', async () => {
  const work = logging({ 'in/a': '', 'in/b': '' });
  await work.map('--method', 'log', 'in/*');
  expect(work.ran()).toEqual(['a', 'b']);
  // On a slow machine the two are written one after the other.
  const done = /^(\{"farm map journal":1,.*\}\n)(?:\{"done":"0-1"\}|\{"done":"[01]"\}\n\{"done":"[01]"\})\n$/;
  const whole = fs.readFileSync(work.journal, 'utf8').replace(done, '$1{"done":"0-1"}\n');
  expect(whole).toMatch(/\n\{"done":"0-1"\}\n$/);
  for (const cut of [1, 5, whole.length - 10]) {
    fs.writeFileSync(work.journal, whole.slice(0, whole.length - cut));
    expect((await work.map('--method', 'log', 'in/*')).code).toBe(0);
    expect(work.ran()).toEqual(['a', 'b']);
    expect(fs.readFileSync(work.journal, 'utf8')).toMatch(done);
  }
});

describe('refused, and nothing is run', () => {
  const setUp = async () => {
    const work = logging({ 'in/a': '', 'in/b': '' });
    await work.map('--method', 'log', 'in/*');
    work.ran();
    return work;
  };

  test.each([
    ['another method', ['--method', 'upperFile', 'in/*'], /its method is "log", this time "upperFile"/],
    ['other inputs', ['--method', 'log', 'in/*', 'log'], /its inputs is \{"kind":"files","count":2/],
    ['another way to read them', ['--method', 'log', '--as', 'text', 'in/*'], /its as is "path", this time "text"/],
    ['another place for the outputs', ['--method', 'log', '--out', 'o', 'in/*'], /its out is nothing, this time ".*\/o"/],
    ['other worker data', ['--method', 'log', '--worker-data', '1', 'in/*'], /its workerData is/],
  ])('%s', async (_, args, message) => {
    const work = await setUp();
    const { code, stderr } = await work.map(...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(stderr).toMatch(/^farm map: the journal journal is of other work/);
    expect(work.ran()).toEqual([]);
  });

  test.each([
    ['named', (/** @type {string} */ journal) => ['--method', 'upperFile', '--resume', journal, 'a']],
    ['on standard input', (/** @type {string} */ journal) => ['--method', 'upperFile', '--resume', journal]],
  ])('the same names in another directory, %s', async (_, args) => {
    const at = folder({ 'one/a': 'one', 'two/a': 'two' });
    const journal = path.join(at, 'journal');
    expect(await run(args(journal), { cwd: path.join(at, 'one'), input: 'a\n' })).toMatchObject({ code: 0, stdout: 'ONE' });
    expect(await run(args(journal), { cwd: path.join(at, 'two'), input: 'a\n' })).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/is of other work: its inputs is /) });
  });

  test('another worker', async () => {
    const work = await setUp();
    fs.writeFileSync(path.join(work.at, 'other.js'), 'exports.log = () => {}');
    expect(await run(['--resume', 'journal', '--method', 'log', 'in/*'], { cwd: work.at, worker: './other.js' })).toMatchObject({ code: 2, stderr: expect.stringMatching(/its worker is ".*workers\.js", this time ".*other\.js"/) });
  });

  test('a damaged line in the middle', async () => {
    const work = await setUp();
    fs.appendFileSync(work.journal, 'garbage\n{"done":"1"}\n');
    expect(await work.map('--method', 'log', 'in/*')).toMatchObject({ code: 2, stderr: expect.stringMatching(/line 3 of the journal journal is damaged/) });
  });

  test.each([
    ['differs in what was read', '0\nX\n2\n', /differs within its first 6 bytes/],
    ['is shorter', '0\n', /is shorter now/],
    ['is longer than when it ended', '0\n1\n2\n3\n', /is longer now/],
  ])('a stream that %s', async (_, changed, message) => {
    const at = folder({ lines: '0\n1\n2\n' });
    const args = ['--lines', '--method', 'failUnless', '--resume', 'journal', 'lines'];
    await run(args, { cwd: at });
    for (const number of [0, 1, 2, 3]) fs.writeFileSync(path.join(at, `ok-${number}`), '');
    fs.writeFileSync(path.join(at, 'lines'), changed);
    const { code, stdout, stderr } = await run(args, { cwd: at });
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

test('a stream of standard input goes on where it was', async () => {
  const at = folder();
  const lines = Array.from({ length: 30_000 }, (_, i) => String(i));
  const input = `${lines.join('\n')}\n`;
  const args = ['--lines', '--method', 'failOdd', '--resume', 'journal'];
  const first = await run(args, { cwd: at, input });
  expect(first).toMatchObject({ code: 1 });
  expect(first.stdout.trimEnd().split('\n')).toHaveLength(15_000);
  const again = await run(args, { cwd: at, input });
  expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('0 done, 15 000 failed, 15 000 done before') });
});

test('a slip before anything is done does not spoil the journal', async () => {
  const work = logging({ 'in/a': '', 'in/b': '', 'in/b.x': '', lines: '1\n' });
  const slips = [
    ['--method', 'lgo', 'in/*'],
    ['--method', 'log', '--out', 'out', '--ext', '.y', 'in/b', 'in/b.x'],
    ['--method', 'log', '--out', 'lines', 'in/*'],
    ['--lines', '--method', 'lgo', 'lines'],
    ['--lines', '--method', 'failOdd', 'lines'],
  ];
  for (const slip of slips) {
    expect(await work.map(...slip)).toMatchObject({ stdout: '' });
    expect(fs.existsSync(`${work.journal}.lock`)).toBe(false);
  }
  expect(fs.existsSync(path.join(work.at, 'out'))).toBe(false);
  expect(work.ran()).toEqual([]);
  expect(await work.map('--method', 'log', 'in/*')).toMatchObject({ code: 0 });
  expect(work.ran()).toEqual(['a', 'b', 'b.x']);
  expect(await work.map('--method', 'log', 'in/*')).toMatchObject({ code: 0, stdout: '' });
  expect(await work.map('--method', 'lgo', 'in/*')).toMatchObject({ code: 2, stderr: expect.stringContaining('is of other work') });
});

test('a journal that cannot be written', async () => {
  const at = folder({ a: '' });
  expect(await run(['--resume', 'no/journal', '--method', 'upperFile', 'a'], { cwd: at })).toMatchObject({ code: 2, stderr: expect.stringMatching(/^farm map: cannot use the journal no\/journal: ENOENT/) });
});

test('a journal that another command uses is refused; one whose command was killed is not', async () => {
  const at = folder({ lines: '0\n' });
  const args = ['--lines', '--method', 'failUnless', '--resume', 'journal', 'lines'];
  const lock = path.join(at, 'journal.lock');
  fs.writeFileSync(path.join(at, 'ok-0'), '');
  const [, afterName] = fs.readFileSync('/proc/self/stat', 'utf8').split(') ');
  fs.writeFileSync(lock, `${process.pid} ${afterName.split(' ')[19]}`);
  expect(await run(args, { cwd: at })).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(`journal is in use by process ${process.pid};`) });
  // The same number, but not the same process.
  fs.writeFileSync(lock, `${process.pid} 1`);
  expect(await run(args, { cwd: at })).toMatchObject({ code: 0, stdout: '0\n' });
  expect(fs.existsSync(lock)).toBe(false);
});

test('of several commands that find the lock of a killed one, one has it', async () => {
  const at = folder({ lines: '0\n', 'journal.lock': '1 1', log: '' });
  const data = JSON.stringify({ log: path.join(at, 'log'), gate: path.join(at, 'gate') });
  const runs = Array.from({ length: 6 }, () => run(['--lines', '--method', 'gated', '--worker-data', data, '--resume', 'journal', 'lines'], { cwd: at }));
  let refused = 0;
  const others = new Promise((resolve) => {
    for (const each of runs) each.then(({ code }) => code === 2 && ++refused === 5 && resolve(undefined));
  });
  await Promise.race([others, Promise.all(runs)]);
  fs.writeFileSync(path.join(at, 'gate'), '');
  expect((await Promise.all(runs)).map(({ code }) => code).sort()).toEqual([0, 2, 2, 2, 2, 2]);
  expect(fs.readFileSync(path.join(at, 'log'), 'utf8')).toBe('0\n');
  expect(fs.readdirSync(at).filter((name) => name.includes('lock'))).toEqual([]);
});
