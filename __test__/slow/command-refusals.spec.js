'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { FARM, WORKERS, folder, run } = require('../fixtures/command/run');

/** Root may read and write everything, so that permissions are tested as nobody. */
const asNobody = process.getuid?.() === 0 ? { uid: 65534 } : {};

describe('usage errors end with 2, name what was wrong, and nothing is run', () => {
  test.each([
    ['a missing file', ['--method', 'log', 'there', 'not-there.txt'], /^farm map: no such file: not-there\.txt$/m],
    ['every missing file', ['not-a', 'not-b'], /no such file: not-a\n.*no such file: not-b$/m],
    ['a directory', ['--method', 'log', 'there', 'dir'], /^farm map: dir is a directory; name the files in it, for example 'dir\/\*\*\/\*'$/m],
    ['a glob without a file', ['dir/**/*.png'], /^farm map: no file matches dir\/\*\*\/\*\.png$/m],
    ['an --out where no folder can be', ['--method', 'log', '--out', '/proc/no-folder', 'there'], /^farm map: cannot write to --out \/proc\/no-folder: /m],
    ['--jobs x', ['--jobs', 'x', 'there'], /--jobs <n>' argument 'x' is invalid/],
    ['two outputs in one place', ['--method', 'log', '--out', 'o', '--ext', '.x', 'dir/a.1', 'dir/a.2'], /dir\/a\.1 and dir\/a\.2 would both be written to .*o\/a\.x$/m],
    ['an output that is a directory of others', ['--method', 'log', '--out', 'o', '--ext', '', 'dir/a.1', 'dir/a/b.1'], /o\/a would be the output of dir\/a\.1 and a directory of other outputs/],
    ['an output over an input', ['--method', 'log', '--out', 'dir', 'dir/a.1'], /dir\/a\.1 would be written over the input/],
    ['--out that is a file', ['--method', 'log', '--out', 'there', 'dir/a.1'], /cannot write to --out there: .*EEXIST/],
    ['a worker without the method', ['--method', 'lgo', 'there'], /workers\.js exports no function "lgo"\. It exports: upper, .* Name one with --method\.$/m],
    ['a worker that is no function', ['there'], /exports no single function.* Name one with --method\.$/m],
    ['a journal that is something else', ['--method', 'log', '--resume', 'there', 'dir/a.1'], /there is no journal of farm map; nothing was written to it/],
  ])('%s', async (_, args, message) => {
    const at = folder({ there: 'x', 'dir/a.1': '', 'dir/a.2': '', 'dir/a/b.1': '', log: '' });
    const { code, stdout, stderr } = await run(['--worker-data', JSON.stringify({ log: path.join(at, 'log') }), ...args], { cwd: at });
    expect(stderr).toMatch(message);
    expect({ code, stdout, log: fs.readFileSync(path.join(at, 'log'), 'utf8') }).toEqual({ code: 2, stdout: '', log: '' });
    expect(fs.readFileSync(path.join(at, 'there'), 'utf8')).toBe('x');
  });

  test('a directory as standard input', async () => {
    const at = folder();
    const directory = fs.openSync(at, 'r');
    for (const mode of ['--lines', '--ndjson', '-0']) {
      expect(await run([mode, '--method', 'same'], { cwd: at, stdio: [directory, 'pipe', 'pipe'] })).toMatchObject({ code: 2, stderr: 'farm map: standard input is a directory; name the files in it\n' });
    }
    fs.closeSync(directory);
  });

  test('a worker that is not there', async () => {
    const { code, stderr } = await run(['x'], { worker: './no-worker.js' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^farm map: No worker module ".*no-worker\.js" was found\. Looked at:/) });
  });

  test('no worker; no command; a wrong one', () => {
    const said = (/** @type {string[]} */ ...args) => {
      const { status, stderr } = spawnSync(process.execPath, [FARM, ...args], { encoding: 'utf8' });
      return { status, stderr };
    };
    expect(said('map')).toEqual({ status: 2, stderr: expect.stringMatching(/^farm map: the worker is missing\n\nUsage: farm map/) });
    expect(said()).toEqual({ status: 2, stderr: expect.stringContaining('farm map --help') });
    expect(said('mop')).toEqual({ status: 2, stderr: expect.stringContaining('there is no command "mop"') });
  });

  test('an unreadable directory that a glob goes through', async () => {
    const at = folder({ 'open/a.txt': '', 'shut/b.txt': '' });
    fs.chmodSync(at, 0o755);
    fs.chmodSync(path.join(at, 'shut'), 0);
    try {
      const { code, stderr } = await run(['--method', 'upperFile', '**/*.txt'], { cwd: at, ...asNobody });
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^farm map: cannot read the directory .*shut\/? \(EACCES\), which \*\*\/\*\.txt goes through\n$/) });
    } finally {
      fs.chmodSync(path.join(at, 'shut'), 0o755);
    }
  });

  test('--out in a directory that cannot be written to', async () => {
    const at = folder({ 'a.txt': '' });
    fs.chmodSync(at, 0o555);
    const { code, stderr } = await run(['--method', 'upperFile', '--out', 'o', 'a.txt'], { cwd: at, ...asNobody });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^farm map: cannot write to --out o: EACCES/) });
  });
});

describe('failures of single inputs end with 1; the others are done', () => {
  test('invalid JSON on a line', async () => {
    const { code, stdout, stderr } = await run(['--ndjson', '--ordered', '--method', 'same'], { input: '1\n\n{"a":\n4\n' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '1\n4\n' });
    expect(stderr).toMatch(/^farm: line 3: invalid JSON: /m);
  });

  test('a file and a directory among the names on standard input', async () => {
    const at = folder({ 'a.txt': 'a', 'd/b.txt': 'b' });
    const { code, stdout, stderr } = await run(['--ordered', '--method', 'upperFile'], { cwd: at, input: 'a.txt\nnot-there\n\nd\nd/b.txt\n' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'AB' });
    expect(stderr).toMatch(/^farm: not-there: no such file$/m);
    expect(stderr).toMatch(/^farm: d: it is a directory, not a file$/m);
  });

  test('a name that cannot be looked at among those on standard input', async () => {
    const at = folder({ 'a.txt': 'a' });
    fs.symlinkSync('loop', path.join(at, 'loop'));
    const { code, stdout, stderr } = await run(['--method', 'upperFile'], { cwd: at, input: 'loop\na.txt\n' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'A' });
    expect(stderr).toMatch(/^farm: loop: cannot look at it: ELOOP$/m);
  });

  test('an unreadable file whose content is wanted', async () => {
    const at = folder({ 'a.txt': 'a', 'b.txt': 'b' });
    fs.chmodSync(at, 0o755);
    fs.chmodSync(path.join(at, 'b.txt'), 0);
    const { code, stdout, stderr } = await run(['--as', 'text', '--method', 'upper', 'a.txt', 'b.txt'], { cwd: at, ...asNobody });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'A\n' });
    expect(stderr).toMatch(/^farm: b\.txt: EACCES: permission denied/m);
  });

  test('a timeout, and a result that is no JSON', async () => {
    expect(await run(['--lines', '--method', 'forever', '--timeout', '100ms'], { input: 'x\n' })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^farm: line 1: The task ran longer than its timeout of 100 ms$/m) });
    expect(await run(['--lines', '--method', 'bigint'], { input: '1\n' })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^farm: line 1: TypeError: .*BigInt/m) });
  });

  test('--retries tries again what threw, ended its worker or took too long', async () => {
    const at = folder();
    expect(await run(['--lines', '--retries', '1', '--timeout', '1', '--method', 'secondTime'], { cwd: at, input: 'throw\nexit\nforever\n' })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(?:throw|exit|forever)\n(?:throw|exit|forever)\n(?:throw|exit|forever)\n$/) });
    const { code, stderr } = await run(['--lines', '--retries', '2', '--method', 'failOdd'], { cwd: at, input: '1\n' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^farm: line 1: RangeError: 1 is odd \(after 3 attempts\)$/m);
  });

  test('--fail-fast starts nothing any more', async () => {
    const input = Array.from({ length: 1000 }, (_, i) => `${i}\n`).join('');
    const { code, stdout } = await run(['--lines', '--fail-fast', '--method', 'failOdd', '-j', '1'], { input });
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n').length).toBeLessThan(100);
  });
});

describe('what cannot go on', () => {
  test('standard output on a full disk', async () => {
    const full = fs.openSync('/dev/full', 'w');
    const { code, stderr } = await run(['--lines', '--method', 'upper', '--resume', 'journal'], { cwd: folder(), input: 'x\n', stdio: ['pipe', full, 'pipe'] });
    fs.closeSync(full);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^farm map: cannot write to standard output: ENOSPC/m) });
  });

  const tiny = (/** @type {string} */ at, /** @type {string} */ command) =>
    spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=200k none out && ${command}`], { cwd: at, encoding: 'utf8' });
  const probe = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-command-'));
  fs.mkdirSync(path.join(probe, 'out'));
  const canMount = tiny(probe, 'true').status === 0;
  fs.rmSync(probe, { recursive: true });

  (canMount ? test : test.skip)('--out on a full disk: it is said, what was done is whole, and the rest is done when there is room', async () => {
    const at = folder({ ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`in/${i}.txt`, 'x'.repeat(20_000)])), 'out/.keep': '' });
    const args = ['--method', 'upperFile', '--out', 'out', '--resume', 'journal', 'in/*.txt'];
    const command = [process.execPath, FARM, 'map', WORKERS, ...args].map((word) => `'${word}'`).join(' ');
    const { stdout, stderr } = tiny(at, `${command}; echo code $?; wc -c out/*.txt | grep -v total`);
    expect(stdout).toMatch(/^code 1$/m);
    expect(stderr).toMatch(/^farm map: cannot write .*out\/\d+\.txt: ENOSPC/m);
    const sizes = stdout.split('\n').filter((line) => line.includes('.txt')).map((line) => Number(line.trim().split(' ')[0]));
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes.filter((size) => size !== 20_000)).toEqual([]);
    const { code, stderr: said } = await run(args, { cwd: at });
    expect(code).toBe(0);
    expect(said).toMatch(new RegExp(`^farm: ${40 - sizes.length} done, 0 failed, ${sizes.length} done before`, 'm'));
  });

  test('few descriptors are enough for many files', async () => {
    const at = folder(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`in/${i}.txt`, 'x'.repeat(50_000)])));
    const command = [process.execPath, FARM, 'map', WORKERS, '--method', 'upper', '--as', 'text', '--out', 'out', 'in/*.txt'].map((word) => `'${word}'`).join(' ');
    const { status, stderr } = spawnSync('bash', ['-c', `ulimit -n 170 && exec ${command}`], { cwd: at, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^farm: 500 done, 0 failed/m) });
  });

  test('a worker module that throws when it is loaded', async () => {
    const at = folder({ 'broken.js': "throw new Error('no licence')" });
    const { code, stderr } = await run(['-j', '3', '--quiet', '--lines'], { cwd: at, worker: './broken.js', input: 'a\n'.repeat(20) });
    // Said once, however many workers have tried.
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^farm map: .*broken\.js failed to load: Error: no licence\n$/) });
  });
});
