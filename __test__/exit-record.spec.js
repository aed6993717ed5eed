'use strict';

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { failure, open, worker } = require('./fixtures/limits/farms');
const { until } = require('./fixtures/life/processes');

test('a worker without JavaScript heap is told from one that aborts', async () => {
  const farm = open({ execArgv: ['--max-old-space-size=32'] });
  const exit = once(farm, 'exit');
  const error = await failure(farm.run('fillHeap'));
  expect(error).toMatchObject({ code: 'ERR_FARM_WORKER_EXIT', verdict: 'heap-out-of-memory', killedFor: null });
  expect(error.message).toMatch(/ran out of memory for its JavaScript heap \(execArgv: \['--max-old-space-size=<MiB>'\] gives it more\) while it ran the task/);
  expect(error.stderr).toContain('heap out of memory');
  expect((await exit)[0]).toMatchObject({ verdict: 'heap-out-of-memory', pid: error.pid });
});

test('how much CPU time it has used', async () => {
  const farm = open();
  const exit = once(farm, 'exit');
  const pid = await farm.run('pid');
  await farm.run('burn', [300]);
  process.kill(pid, 'SIGKILL');
  const [record] = await exit;
  expect(record).toMatchObject({ verdict: 'killed', signal: 'SIGKILL', signalDescription: 'killed' });
  expect(record.cpuTime).toBeGreaterThanOrEqual(300);
});

test('how much memory it had at most', async () => {
  // More than this process has ever had, so that the system can tell the two apart.
  const size = process.resourceUsage().maxRSS * 1024 + (64 << 20);
  const farm = open();
  const exit = once(farm, 'exit');
  const pid = await farm.run('pid');
  await farm.run('take', [size]);
  process.kill(pid, 'SIGSEGV');
  const [record] = await exit;
  expect(record.verdict).toBe('crashed');
  expect(record.maxMemory).toBeGreaterThan(size);
});

test('of a worker that farm ends, also with less memory than its parent', async () => {
  const farm = open();
  const exit = once(farm, 'exit');
  await farm.run('take', [64 << 20]);
  await farm.destroy();
  const [record] = await exit;
  expect(record).toMatchObject({ verdict: 'destroy', killedFor: 'destroy', signal: 'SIGKILL', signalDescription: 'sent by farm' });
  expect(record.maxMemory).toBeGreaterThan(64 << 20);
});

test('a worker that leaves when it is told to has exited', async () => {
  const farm = open();
  const exit = once(farm, 'exit');
  await farm.run('pid');
  await farm.close();
  expect((await exit)[0]).toMatchObject({ verdict: 'exited', exitCode: 0, planned: true });
});

test('the out-of-memory killer of the kernel is named', async () => {
  const group = memoryGroup();
  if (group === null) {
    console.log('not checked: no memory cgroup can be made here');
    return;
  }
  try {
    const script = `echo $$ > ${group}/cgroup.procs && exec "$0" "$1"`;
    const printed = execFileSync('/bin/sh', ['-c', script, process.execPath, require.resolve('./fixtures/limits/oom-parent.js')]);
    const error = JSON.parse(printed.toString());
    expect(error).toMatchObject({
      code: 'ERR_FARM_WORKER_EXIT',
      signal: 'SIGKILL',
      signalDescription: 'killed by the out-of-memory killer of the kernel',
      verdict: 'oom-killer',
      killedFor: null,
    });
    expect(error.message).toMatch(/was ended by SIGKILL: the out-of-memory killer of the kernel while it ran the task/);
  } finally {
    // The guard goes a moment after its parent.
    await until(() => fs.readFileSync(`${group}/cgroup.procs`, 'utf8') === '');
    fs.rmdirSync(group);
  }
});

/** A cgroup of 256 MiB below that of this process, or null. */
function memoryGroup() {
  const own = fs.readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const v1 = own.map((line) => /^\d+:memory:(.*)/.exec(line)).find(Boolean);
  const v2 = own.map((line) => /^0::(.*)/.exec(line)).find(Boolean);
  const places = [[v1 && path.join('/sys/fs/cgroup/memory', v1[1]), 'memory.limit_in_bytes'], [v2 && path.join('/sys/fs/cgroup', v2[1]), 'memory.max']];
  for (const [parent, file] of places) {
    if (!parent) continue;
    const group = path.join(parent, `farm-test-${process.pid}`);
    try {
      fs.mkdirSync(group);
    } catch {
      continue;
    }
    try {
      fs.writeFileSync(path.join(group, file), String(256 << 20));
      return group;
    } catch {
      fs.rmdirSync(group);
    }
  }
  return null;
}
