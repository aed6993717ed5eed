'use strict';

const { readFileSync } = require('node:fs');
const path = require('node:path');
const face = require('..');
const { CODES } = require('../lib/errors');
const { farmOptions } = require('../lib/options');
const { openFarm, next } = require('./fixtures/open-farm');

const declarations = readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8').replace(/\/\*\*[^]*?\*\//g, '').replace(/\/\/.*/g, '');

/**
 * Names of what an interface or class of index.d.ts declares itself; of a member that is an object type, its names.
 * @param {string} head such as 'interface FarmStats' @param {string} [member]
 */
function declared(head, member) {
  const from = declarations.search(new RegExp(`\\b${head}\\b[^{;]*\\{`));
  if (from < 0) throw new Error(`index.d.ts declares no ${head}`);
  let body = bodyAt(declarations, declarations.indexOf('{', from));
  if (member !== undefined) body = bodyAt(body, body.indexOf('{', body.search(new RegExp(`\\b${member}\\??:`))));
  const names = [];
  let depth = 0;
  for (const line of body.split('\n')) {
    if (depth === 0) names.push(.../^\s*(?:readonly )?(\w+|\[Symbol\.\w+\])(?=[?]?[:(<])/.exec(line)?.slice(1) ?? []);
    for (const sign of line) depth += '{(['.includes(sign) ? 1 : '})]'.includes(sign) ? -1 : 0;
  }
  return names;
}

/** @param {string} text @param {number} open */
function bodyAt(text, open) {
  let depth = 0;
  for (let at = open; ; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return text.slice(open + 1, at);
  }
}

/** @param {object} value */
const keys = (value) => Object.keys(value).sort();

describe('index.d.ts declares what there is:', () => {
  test('the exports', () => {
    const exported = [...declarations.matchAll(/^export (?:function|class) (\w+)/gm)].map(([, name]) => name);
    expect([...new Set(exported)].sort()).toEqual(keys(face));
  });

  test('the options of a farm', () => {
    const of = (...heads) => heads.flatMap((head) => declared(`interface ${head}`)).concat('fork').sort();
    const all = keys(farmOptions('worker.js'));
    expect(all).toEqual([...new Set(of('CommonOptions', 'FarmOptions', 'ForkOptions'))].sort());
    // Each name either works with a fork script or is refused for it.
    const samples = { workerData: 1, tasksPerWorker: 2, codec: 'json', views: false, spin: 0, stallTimeout: 1000, maxSharedMemory: 1 << 20 };
    expect(keys(samples)).toEqual(declared('interface FarmOptions').sort());
    for (const [name, value] of Object.entries(samples)) {
      expect(() => farmOptions({ fork: 'child.js' }, { [name]: value })).toThrow(expect.objectContaining({ code: 'ERR_FARM_OPTION', option: name }));
    }
  });

  test.each([['TaskOptions', 'run'], ['MapOptions', 'map']])('%s', async (head, method) => {
    const { taskOptions, mapOptions } = require('../lib/options');
    const check = method === 'run' ? taskOptions : mapOptions;
    let message = '';
    try {
      check({ nothingLikeIt: 1 });
    } catch (error) {
      message = error.message;
    }
    const listed = /The options are: (.*)\./.exec(message)[1].split(', ').sort();
    expect(declared(`interface ${head}`).sort()).toEqual(listed);
  });

  test.each([
    ['RecycleOptions', 'recycle'],
    ['WorkerLimits', 'limits'],
    ['ResourceLimits', 'resourceLimits'],
  ])('%s', (head, option) => {
    let listed = '';
    try {
      farmOptions('worker.js', { [option]: 'no object' });
    } catch (error) {
      listed = /an object with some of (.*), not /.exec(error.message)[1];
    }
    expect(declared(`interface ${head}`).sort()).toEqual(listed.split(', ').sort());
  });

  test('the members of a farm', () => {
    const farm = openFarm('calls/surroundings.js');
    const own = keys(farm).filter((name) => !name.startsWith('_'));
    const dispose = Symbol.asyncDispose === undefined ? [] : ['[Symbol.asyncDispose]'];
    // `submit` is for the service; `removeAllListeners` is as any emitter has it.
    const inherited = Object.getOwnPropertyNames(face.WorkerFarm.prototype).filter((name) => !['submit', 'removeAllListeners'].includes(name));
    const present = [...own, ...inherited, ...dispose].sort();
    const names = declared('class WorkerFarm').filter((name) => dispose.length > 0 || name !== '[Symbol.asyncDispose]');
    expect(names.sort()).toEqual(present);
  });

  test('the codes of errors', () => {
    const union = /type FarmErrorCode =([^;]*);/.exec(declarations)[1];
    expect(union.match(/ERR_\w+/g).sort()).toEqual(keys(CODES));
  });

  test('the figures', async () => {
    const farm = openFarm('calls/surroundings.js');
    // The word that a worker is online may come a moment after its first answer.
    await Promise.all([farm.service.pid(), farm.ready()]);
    const stats = farm.stats();
    expect(keys(stats)).toEqual(declared('interface FarmStats').sort());
    expect(keys(stats.tasks)).toEqual(declared('interface FarmStats', 'tasks').sort());
    expect(keys(stats.run)).toEqual(declared('interface TimeStats').sort());
    expect(keys(stats.wait)).toEqual(keys(stats.run));
    expect(keys(stats.memory)).toEqual(declared('interface FarmStats', 'memory').sort());
    expect(keys(stats.workers[0])).toEqual([...declared('interface WorkerStats'), ...declared('interface WorkerInfo')].sort());
    expect(stats).toMatchObject({ state: 'open', tasks: { open: 0, waiting: 0, settled: 1 }, workers: [{ workerId: 1, state: 'online', uptime: expect.any(Number) }] });
  });

  test('the events and what comes with them', async () => {
    const farm = openFarm('calls/surroundings.js', { stdout: 'pipe', stderr: 'pipe', maxQueue: 0 });
    const names = declared('interface FarmEvents');
    const seen = Object.fromEntries(names.map((name) => [name, next(farm, name)]));
    const emitted = new Set();
    const { emit } = farm;
    farm.emit = (name, ...args) => {
      emitted.add(name);
      return emit.call(farm, name, ...args);
    };
    await farm.service.write('stdout', 'out');
    await farm.service.write('stderr', 'err');
    await farm.service.failBetweenTasks();
    await seen.exit;
    await farm.run('complainAndExit', [3], { retries: 1 }).catch(() => {});
    const told = {};
    for (const name of names) told[name] = await seen[name];
    expect([...emitted].filter((name) => !['newListener', 'removeListener'].includes(name)).sort()).toEqual(names.sort());

    const info = declared('interface WorkerInfo').sort();
    expect(keys(told.spawn[0])).toEqual(info);
    expect(keys(told.online[0])).toEqual(info);
    expect(keys(told.exit[0])).toEqual([...info, ...declared('interface WorkerExit')].sort());
    const { workerId, pid } = told.spawn[0];
    expect(told.online).toEqual([{ workerId, pid }]);
    expect(told.stdout).toEqual([Buffer.from('out'), { workerId }]);
    // What the worker's end adds may come with it.
    expect(told.stderr).toEqual([expect.any(Buffer), { workerId }]);
    expect(String(told.stderr[0])).toMatch(/^err/);
    expect(told.workerError).toEqual([new RangeError('between tasks'), { workerId, pid }]);
    expect(told.exit[0]).toMatchObject({ workerId, pid, exitCode: 1, signal: null, planned: false, killedFor: null });
  });
});

test('the package and the addon have one version, by which parent and worker know each other', () => {
  const { readFileSync } = require('node:fs');
  const path = require('node:path');
  const cargo = readFileSync(path.join(__dirname, '..', 'Cargo.toml'), 'utf8');
  expect(/^\[workspace\.package\]\nversion = "(.+)"$/m.exec(cargo)?.[1]).toBe(require('../package.json').version);
});

test('the packed package has no script that npm runs at an install, or asks its user to approve', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8'));
  expect(Object.keys(scripts).filter((name) => ['preinstall', 'install', 'postinstall', 'prepare'].includes(name))).toEqual([]);
});
