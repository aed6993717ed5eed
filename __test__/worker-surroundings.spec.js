'use strict';

const { execFileSync } = require('node:child_process');
const { mkdtempSync, realpathSync, rmSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { openFarm } = require('./fixtures/open-farm');

const MODULE = 'calls/surroundings.js';
const file = path.join(__dirname, 'fixtures', MODULE);

describe('env', () => {
  afterEach(() => {
    delete process.env.FARM_SPEC_A;
  });

  test('is this process\'s unless it is given', async () => {
    process.env.FARM_SPEC_A = 'inherited ü';
    const { service } = openFarm(MODULE);
    expect(await service.env('FARM_SPEC_A', 'PATH')).toEqual({ FARM_SPEC_A: 'inherited ü', PATH: process.env.PATH });
  });

  test('replaces all of it when it is given', async () => {
    process.env.FARM_SPEC_A = 'inherited';
    const { service } = openFarm(MODULE, { env: { FARM_SPEC_B: 'b', EMPTY: '', NUMBER: 1, TRUE: true, LEFT_OUT: undefined } });
    const env = await service.allEnv();
    expect(env).toEqual({ FARM_SPEC_B: 'b', EMPTY: '', NUMBER: '1', TRUE: 'true' });
  });

  test('may be empty', async () => {
    expect(await openFarm(MODULE, { env: {} }).service.allEnv()).toEqual({});
  });
});

describe('cwd', () => {
  let directory;
  beforeAll(() => {
    directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'farm spec ü ')));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('is this process\'s unless it is given', async () => {
    expect(await openFarm(MODULE).service.cwd()).toBe(process.cwd());
  });

  test('as a path and as a URL', async () => {
    expect(await openFarm(MODULE, { cwd: directory }).service.cwd()).toBe(directory);
    expect(await openFarm(MODULE, { cwd: pathToFileURL(directory) }).service.cwd()).toBe(directory);
  });
});

describe('process.argv', () => {
  test('is that of a script: node, the module, the arguments', async () => {
    const { service } = openFarm(MODULE, { argv: ['--flag', 'a b', '', 'ü', '-e'] });
    expect(await service.argv()).toEqual([process.execPath, file, '--flag', 'a b', '', 'ü', '-e']);
  });

  test('has nothing more by default', async () => {
    expect(await openFarm(MODULE).service.argv()).toEqual([process.execPath, file]);
  });
});

describe('execArgv', () => {
  test('is what is given', async () => {
    const { service } = openFarm(MODULE, { execArgv: ['--max-old-space-size=123', '--expose-gc'] });
    expect(await service.execArgv()).toEqual(['--max-old-space-size=123', '--expose-gc']);
  });

  test('is this process\'s by default, less what is for it alone', () => {
    const parent = path.join(__dirname, 'fixtures', 'calls', 'print-from-worker.js');
    const flags = ['--stack-trace-limit=7', '--inspect=127.0.0.1:0', '--no-warnings', '--test-timeout=5000'];
    expect(JSON.parse(execFileSync(process.execPath, [...flags, parent, 'execArgv'], { stdio: ['ignore', 'pipe', 'ignore'] }))).toEqual(['--stack-trace-limit=7', '--no-warnings']);
    const script = `require(${JSON.stringify(parent)}).print('execArgv')`;
    expect(JSON.parse(execFileSync(process.execPath, ['--no-warnings', '-e', script]))).toEqual(['--no-warnings']);
    expect(JSON.parse(execFileSync(process.execPath, ['--no-warnings', '--input-type=commonjs', '--eval', script]))).toEqual(['--no-warnings']);
  });
});

describe('execPath', () => {
  test('is this process\'s by default', async () => {
    expect(await openFarm(MODULE).service.execPath()).toBe(process.execPath);
  });

  // Another Node.js: FARM_OTHER_NODE names one.
  const other = process.env.FARM_OTHER_NODE;
  (other ? test : test.skip)('may be another version than this one (FARM_OTHER_NODE)', async () => {
    const version = execFileSync(other, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
    const { service } = openFarm(MODULE, { execPath: other });
    expect(await service.version()).toBe(version);
    const value = { a: [1, new Map([[1n, new Date(0)]])], big: Buffer.alloc(100_000, 5), error: new TypeError('t') };
    expect(await service.echo(value)).toEqual(value);
  });
});

describe('workerData', () => {
  test('is a copy of any value', async () => {
    const workerData = { map: new Map([[1n, [new Date(0)]]]), set: new Set(['a']), big: 2n ** 70n, pattern: /x/g };
    workerData.self = workerData;
    const back = await openFarm(MODULE, { workerData }).service.workerData();
    expect(back.map).toEqual(workerData.map);
    expect([back.set, back.big, back.pattern]).toEqual([workerData.set, workerData.big, workerData.pattern]);
    expect(back.self).toBe(back);
  });

  test('is undefined by default, and may be null or false', async () => {
    expect(await openFarm(MODULE).service.workerData()).toBeUndefined();
    expect(await openFarm(MODULE, { workerData: null }).service.workerData()).toBeNull();
    expect(await openFarm(MODULE, { workerData: 0 }).service.workerData()).toBe(0);
  });

  test('may be large', async () => {
    const workerData = Buffer.alloc(20 * 1024 * 1024, 'farm');
    expect(Buffer.compare(await openFarm(MODULE, { workerData }).service.workerData(), workerData)).toBe(0);
  });

  test('a Buffer in it stays one', async () => {
    const { at } = await openFarm(MODULE, { workerData: { at: Buffer.from('bytes') } }).service.workerData();
    expect(at).toEqual(Buffer.from('bytes'));
  });

  test('that cannot be cloned is refused at once', () => {
    const make = () => openFarm(MODULE, { workerData: { deep: { fn() {} } } });
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_FARM_NOT_CLONEABLE', path: 'workerData.deep.fn' }));
  });
});

describe('workerId', () => {
  test('tells workers apart and is that of the events', async () => {
    const farm = openFarm(MODULE, { min: 3, max: 3 });
    const spawned = [];
    farm.on('spawn', (worker) => spawned.push(worker));
    await farm.ready();
    expect(spawned.map(({ workerId }) => workerId).sort()).toEqual([1, 2, 3]);
    const [id, pid] = await Promise.all([farm.service.workerId(), farm.service.pid()]);
    expect(new Set(spawned.map((worker) => worker.pid)).size).toBe(3);
    expect(spawned.some((worker) => worker.workerId === id)).toBe(true);
    expect(spawned.some((worker) => worker.pid === pid)).toBe(true);
  });
});
