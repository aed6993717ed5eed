'use strict';

const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { WorkerFarm } = require('../..');
const { failure, farms, open, worker } = require('../fixtures/limits/farms');

const MIB = 1024 * 1024;
/** Numbers of the CPUs this process may use. */
const usable = () => {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
};

describe('memory', () => {
  test('a task whose worker takes too much is rejected with what was seen', async () => {
    const farm = open({ limits: { memory: 128 * MIB } });
    const exit = once(farm, 'exit');
    const pid = await farm.run('pid');
    const error = await failure(farm.run('take', [1024 * MIB]));
    expect(error).toMatchObject({
      name: 'FarmError', code: 'ERR_FARM_LIMIT', limit: 'memory', allowed: 128 * MIB, pid,
      killedFor: 'limit', verdict: 'limit', signal: 'SIGKILL', signalDescription: 'sent by farm', started: true,
    });
    expect(error.seen).toBeGreaterThan(128 * MIB);
    expect(error.maxMemory).toBeGreaterThan(128 * MIB);
    expect(error.message).toMatch(
      /^Worker \d+ \(pid \d+\) was killed because its private memory reached [\d.]+ MiB \(limits\.memory: 128\.0 MiB\) while it ran the task/,
    );
    expect((await exit)[0]).toMatchObject({ pid, limit: 'memory', allowed: 128 * MIB, seen: error.seen, planned: false });
    expect(await farm.run('pid')).not.toBe(pid);
  });

  test('less is left alone, and so are shared Buffers', async () => {
    const farm = open({ limits: { memory: 256 * MIB } });
    const pid = await farm.run('pid');
    await farm.run('take', [64 * MIB]);
    await farm.run('take', [8 * MIB, 8 * MIB]);
    expect(await farm.run('pid')).toBe(pid);
  });

  test('a worker that takes it while it runs no task is ended and replaced', async () => {
    const farm = open({ limits: { memory: 128 * MIB } });
    const exit = once(farm, 'exit');
    await farm.run('takeLater', [1024 * MIB]);
    expect((await exit)[0]).toMatchObject({ limit: 'memory', killedFor: 'limit' });
    await farm.run('pid');
  });

  test('maxMemory of resourceLimits is the same', async () => {
    const farm = open({ resourceLimits: { maxMemory: 128 * MIB } });
    expect(await failure(farm.run('take', [1024 * MIB]))).toMatchObject({ code: 'ERR_FARM_LIMIT', limit: 'memory', allowed: 128 * MIB });
  });
});

describe('cpuTime', () => {
  test('a task whose worker has used it up is rejected with what was used', async () => {
    const farm = open({ limits: { cpuTime: 400 } });
    const error = await failure(farm.run('burn', [60_000]));
    expect(error).toMatchObject({ code: 'ERR_FARM_LIMIT', limit: 'cpuTime', allowed: 400, killedFor: 'limit' });
    expect(error.seen).toBeGreaterThan(400);
    expect(error.cpuTime).toBeGreaterThanOrEqual(error.seen);
    expect(error.message).toMatch(/was killed because it had used \d+ ms of CPU time \(limits\.cpuTime: 400 ms\) while it ran the task/);
  });

  test('also when nobody can look: the system has a limit in whole seconds', async () => {
    const farm = open({ limits: { cpuTime: 1500 } });
    expect(await farm.run('rlimits')).toMatch(/^Max cpu time +3 +4 /m);
  });

  test('the limit of the system is told as the same', async () => {
    const farm = open({ limits: { cpuTime: 60_000 } });
    const error = await failure(farm.run('signal', ['SIGXCPU']));
    expect(error).toMatchObject({ code: 'ERR_FARM_LIMIT', limit: 'cpuTime', allowed: 60_000, signal: 'SIGXCPU', killedFor: 'limit' });
  });
});

describe('cpu', () => {
  /** CPU time of a worker by the time that has passed, over a task that uses so many ms of it. */
  async function share(options, ms) {
    const farm = open(options);
    await farm.run('pid');
    return farm.run('share', [ms]);
  }

  test('a worker gets its share and no more', async () => {
    expect(await share({ limits: { cpu: 0.25 } }, 300)).toBeLessThan(0.35);
  });

  test('maxCpuPercentage of resourceLimits is the same in percent', async () => {
    expect(await share({ resourceLimits: { maxCpuPercentage: 10 } }, 100)).toBeLessThan(0.2);
  });

  test('a paused worker hears that it shall let go', async () => {
    const farm = open({ limits: { cpu: 0.05 }, grace: 60_000 });
    const pid = await farm.run('pid');
    const cancel = new AbortController();
    const started = new Promise((resolve) => {
      farm.run('burnThenWait', [60], { signal: cancel.signal, onProgress: resolve }).catch(() => {});
    });
    await started;
    cancel.abort();
    expect(await farm.run('pid')).toBe(pid);
  });

  test('close() and destroy() do not wait for a pause', async () => {
    const farm = open({ limits: { cpu: 0.05 } });
    const exit = once(farm, 'exit');
    const run = failure(farm.run('burn', [60_000], { onProgress: () => farm.destroy() }));
    expect(await run).toMatchObject({ code: 'ERR_FARM_CLOSED' });
    expect((await exit)[0]).toMatchObject({ killedFor: 'destroy' });
  });
});

describe('what the system holds a worker to', () => {
  test('files', async () => {
    const farm = open({ limits: { files: 100 } });
    const { opened, code } = await farm.run('open', [200]);
    expect(code).toBe('EMFILE');
    expect(opened).toBeLessThan(100);
    expect(await farm.run('open', [20])).toEqual({ opened: 20 });
  });

  test('the least of files is enough for a full farm', async () => {
    const error = (() => {
      try {
        return new WorkerFarm(worker, { max: 4, limits: { files: 10 } });
      } catch (thrown) {
        return thrown;
      }
    })();
    const [, least] = /^limits\.files must be at least (\d+) in a farm of 4 workers, not 10/.exec(error.message);
    const farm = open({ max: 4, limits: { files: Number(least) } });
    await Promise.all(Array.from({ length: 8 }, () => farm.run('echo', [Buffer.alloc(MIB)])));
  });

  test('nice and affinity, of all its threads', async () => {
    const cpu = usable().at(-1);
    const farm = open({ limits: { nice: 7, affinity: [cpu] } });
    const threads = await farm.run('threads');
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) expect(thread).toEqual({ nice: 7, allowed: String(cpu) });
  });

  test('processes, and what needs a privilege, for a user without any', () => {
    const parent = require.resolve('../fixtures/limits/user-parent.js');
    const user = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stdout, stderr } = spawnSync(process.execPath, [parent], { ...user, cwd: '/', env: { FARM_FORCE_NO_CGROUP: '1', PATH: process.env.PATH }, encoding: 'utf8' });
    if (/EACCES|ERR_DLOPEN|MODULE_NOT_FOUND/.test(stderr)) {
      console.log(`not checked: user 65534 cannot read this folder`);
      return;
    }
    const { started, code, refused } = JSON.parse(stdout);
    expect(code).toBe('EAGAIN');
    expect(started).toBeLessThan(60);
    expect(refused).toEqual([
      { code: 'ERR_FARM_UNSUPPORTED', option: 'limits.nice', message: expect.stringMatching(/^limits\.nice cannot be enforced here: -5 needs a privilege/) },
      { code: 'ERR_FARM_UNSUPPORTED', option: 'limits.nice', message: expect.stringMatching(/^limits\.nice cannot be enforced here: -1 needs a privilege/) },
    ]);
  });

  test('processes are refused to root, which the system exempts, where there is no cgroup', () => {
    const script = `try { new (require(${JSON.stringify(require.resolve('../..'))}).WorkerFarm)(${JSON.stringify(worker)}, { limits: { processes: 50 } }).destroy(); } catch (error) { console.log(error.code, error.option); }`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { env: { ...process.env, FARM_FORCE_NO_CGROUP: '1' }, encoding: 'utf8' });
    expect(stdout).toBe(process.getuid() === 0 ? 'ERR_FARM_UNSUPPORTED limits.processes\n' : '');
  });

  test('without limits all is as in this process', async () => {
    const farm = open();
    expect((await farm.run('rlimits'))).toMatch(/^Max cpu time +unlimited/m);
    expect((await farm.run('threads'))[0].nice).toBe(require('node:os').getPriority());
  });
});

test("V8's own limits become flags of node", async () => {
  const farm = open({ execArgv: ['--no-warnings'], resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 12, stackSizeMb: 2 } });
  expect(await farm.run('execArgv')).toEqual(['--no-warnings', '--max-old-space-size=40', '--max-semi-space-size=4', '--stack-size=2048']);
  expect(await farm.run('heapLimit')).toBeLessThan(100 * MIB);
  expect(await failure(farm.run('fillHeap'))).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', verdict: 'heap-out-of-memory' });
});

test('limits hold for fork scripts too', async () => {
  const farm = new WorkerFarm({ fork: require.resolve('../fixtures/limits/fork.js') }, { max: 1, limits: { memory: 128 * MIB, nice: 3 } });
  farms.push(farm);
  expect(await farm.run('request', ['nice'])).toBe(3);
  expect(await failure(farm.run('request', ['take']))).toMatchObject({ code: 'ERR_FARM_LIMIT', limit: 'memory' });
});

describe('refused at creation', () => {
  const refusal = (options) => {
    try {
      farms.push(new WorkerFarm(worker, options));
    } catch (error) {
      return error;
    }
    throw new Error('it was not refused');
  };

  test.each([
    [{ limits: 5 }, 'limits must be an object with some of memory, cpu, cpuTime, files, processes, nice, affinity, not 5'],
    [{ limits: { memory: 1024 } }, 'limits.memory must be an integer of at least 33554432 (bytes; 32 MiB), not 1024'],
    [{ limits: { memry: 1 } }, 'limits has no "memry". Did you mean "memory"?'],
    [{ limits: { cpu: 0 } }, 'limits.cpu must be a number of CPUs from 0.01 to 1024, such as 0.5, not 0'],
    [{ limits: { cpuTime: NaN } }, 'limits.cpuTime must be a finite number of milliseconds of at least 1, not NaN'],
    [{ limits: { files: 1.5 } }, 'limits.files must be an integer of at least 1, not 1.5'],
    [{ max: 2, limits: { files: 10 } }, 'limits.files must be at least 54 in a farm of 2 workers, not 10: Node and the line to the parent need so many'],
    [{ limits: { nice: 20 } }, 'limits.nice must be an integer from -20 to 19, not 20'],
    [{ limits: { affinity: [] } }, 'limits.affinity must be a non-empty array of CPU numbers, not []'],
    [{ limits: { affinity: [4000] } }, 'limits.affinity must name CPUs that this process may use ('],
    [{ resourceLimits: { maxMemory: 512 } }, 'resourceLimits.maxMemory must be an integer of at least 33554432 (bytes; 32 MiB), not 512'],
    [{ resourceLimits: { maxCpuPercentage: 0.5 } }, 'resourceLimits.maxCpuPercentage must be a number from 1 to 102400, where 100 is one CPU, not 0.5'],
    [{ resourceLimits: { maxCpu: 50 } }, 'resourceLimits has no "maxCpu".'],
    [{ limits: { cpu: 1 }, resourceLimits: { maxCpuPercentage: 50 } }, 'resourceLimits.maxCpuPercentage and limits.cpu are two names of one limit, and contradict each other'],
    [{ memoryLimit: 1 }, 'createService has no option "memoryLimit". Use limits: { memory }, in bytes.'],
  ])('%j', (options, message) => {
    const error = refusal(options);
    expect(error.code).toBe('ERR_FARM_OPTION');
    expect(error.message).toContain(message);
  });

  test.each([
    ['limits.files', { limits: { files: 2 ** 50 } }],
    ['resourceLimits.codeRangeSizeMb', { resourceLimits: { codeRangeSizeMb: 8 } }],
    ['resourceLimits.stackSizeMb', { resourceLimits: { stackSizeMb: 1 << 20 } }],
  ])('%s, where this system cannot', (option, options) => {
    const error = refusal(options);
    expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'limit', option });
    expect(error.message).toMatch(new RegExp(`^${option.replace('.', '\\.')} cannot be enforced here: `));
  });

  test('two names with one value do not contradict each other', async () => {
    const farm = open({ limits: { memory: 256 * MIB }, resourceLimits: { maxMemory: 256 * MIB } });
    await farm.run('pid');
  });
});
