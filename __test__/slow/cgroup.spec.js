'use strict';

// With a cgroup (v2) delegated to the parent, what workers start cannot get away from them: not by a session of its own.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { folder, gone, running, stateOf, until } = require('../fixtures/life/processes');
const { cleared, guardOf, guardsOf } = require('../fixtures/guard/family');
const { delegated, groupsIn, into, removed } = require('../../scripts/orphans/group.cjs');

const worker = require.resolve('../fixtures/guard/worker');
const dir = folder();
const made = delegated();
const group = 'group' in made ? made.group : '';
const withGroup = group === '' ? describe.skip : describe;
if ('why' in made) console.log(`skipped: no cgroup can be delegated here: ${made.why}`);
afterAll(() => (group === '' ? undefined : removed(group)));

/** @type {number[]} */
const started = [];
afterEach(() => cleared(started.splice(0)));

/** A parent in the group, whose program says words and stays. These tests are about where there are groups. */
function parent(source, env = {}, place = group) {
  const { child, line } = running(source, { ...process.env, FARM_FORCE_NO_CGROUP: undefined, ...env }, [...into(place), process.execPath]);
  started.push(child.pid);
  return { child, words: async () => (await line()).split(' ') };
}

/** Killed: these end, and so do the groups in that place. */
async function leavesNothing(child, pids, place) {
  const guard = await guardOf(child.pid);
  child.kill('SIGKILL');
  await gone(...pids, guard);
  await until(() => groupsIn(place).length === 0);
}

/** Its worker has started a process with a session of its own: the pids of both. */
async function family(options = {}, { env = {}, extra = '' } = {}) {
  const { child, words } = parent(
    `
    const farm = new WorkerFarm(${JSON.stringify(worker)}, ${JSON.stringify({ max: 1, ...options })}).ref();
    ${extra}
    farm.run('start', [{ detached: true }]).then((pids) => say(...pids));
    `,
    env,
  );
  const pids = (await words()).map(Number);
  started.push(...pids);
  return { child, pids, words };
}

const noGroupLeft = () => until(() => groupsIn(group).length === 0);
const groupOf = (pid) => /^0::(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';

withGroup('where a cgroup is delegated', () => {
  afterEach(noGroupLeft);

  test.each([
    ['', {}],
    ['; no pidfd', { FARM_FORCE_NO_PIDFD: '1' }],
  ])('what left the process group ends with a killed parent%s', async (_, env) => {
    const { child, pids } = await family({}, { env });
    const guard = await guardOf(child.pid);
    expect(groupsIn(group)).toEqual([expect.stringMatching(`^farm-${child.pid}-\\d+-tree-\\d+$`)]);
    child.kill('SIGKILL');
    await gone(...pids, guard);
    await noGroupLeft();
  });

  test('and with a killed worker, but not with another', async () => {
    const { child, words } = parent(`
      const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 2 }).ref();
      Promise.all([0, 1].map(() => farm.run('startAndSpin', [{ detached: true }], { onProgress: (pids) => say(...pids) }).catch(() => say('ended'))));
    `);
    const [one, two] = [(await words()).map(Number), (await words()).map(Number)];
    started.push(...one, ...two);
    expect(groupOf(one[0])).not.toBe(groupOf(two[0]));
    expect(groupOf(one[0])).toBe(groupOf(one[1]));
    const [lost, kept] = [one, two].map(([pid]) => path.basename(groupOf(pid)));
    process.kill(one[0], 'SIGKILL');
    expect(await words()).toEqual(['ended']);
    await gone(...one);
    await until(() => !groupsIn(group).includes(lost));
    expect(groupsIn(group)).toContain(kept);
    for (const pid of two) expect(stateOf(pid)).toBeDefined();
    const guard = await guardOf(child.pid);
    child.kill('SIGKILL');
    await gone(...two, guard);
  });

  test('and with a worker that ends by itself, with the farm, and when the farm is closed', async () => {
    const files = [0, 1, 2].map((n) => path.join(dir, `pid-${n}`));
    const { child, words } = parent(`
      (async () => {
        const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
        await farm.run('startAndExit', [${JSON.stringify(files[0])}, { detached: true }]).catch((error) => say(error.code));
        const [, kept] = await farm.run('start', [{ detached: true }]);
        await farm.close();
        say(kept);
        const other = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
        const [, last] = await other.run('start', [{ detached: true }]);
        await other.destroy();
        say(last);
        process.stdin.resume();
        setInterval(() => {}, 1000);
      })();
    `);
    expect(await words()).toEqual(['ERR_FARM_WORKER_EXIT']);
    const pids = [Number(fs.readFileSync(files[0], 'utf8')), Number((await words())[0]), Number((await words())[0])];
    started.push(...pids);
    await gone(...pids);
    await noGroupLeft();
    await until(() => guardsOf(child.pid).length === 0);
    child.kill('SIGKILL');
  });

  test('a module is in its group when it is loaded', async () => {
    const { child, words } = parent(`
      const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 8 }).ref();
      Promise.all(Array.from({ length: 200 }, () => farm.run('group'))).then((groups) => say(...new Set(groups)));
    `);
    for (const name of await words()) expect(name).toMatch(/\/farm-\d+-\d+-tree-\d+$/);
    const guard = await guardOf(child.pid);
    child.kill('SIGKILL');
    await gone(guard);
  });

  test('a worker that has farms itself: all goes with the first parent', async () => {
    const nested = path.join(dir, 'nested.js');
    fs.writeFileSync(
      nested,
      `const { WorkerFarm } = require(${JSON.stringify(path.join(__dirname, '..', '..'))});
       const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
       exports.start = async (options) => [process.pid, ...(await farm.run('start', [options]))];`,
    );
    const { child, words } = parent(`
      new WorkerFarm(${JSON.stringify(nested)}, { max: 1 }).ref().run('start', [{ detached: true }]).then((pids) => say(...pids));
    `);
    const pids = (await words()).map(Number);
    started.push(...pids);
    expect(path.dirname(groupOf(pids[1]))).toBe(groupOf(pids[0]));
    const guard = await guardOf(child.pid);
    child.kill('SIGKILL');
    await gone(...pids, guard);
    await noGroupLeft();
  });

  test('groups that are left since parent and guard were killed are removed by the next parent', async () => {
    const { child, pids } = await family();
    const guard = await guardOf(child.pid);
    process.kill(guard, 'SIGSTOP');
    await until(() => stateOf(guard) === 'T');
    child.kill('SIGKILL');
    process.kill(guard, 'SIGKILL');
    await gone(guard, pids[0]);
    const [left] = groupsIn(group);
    expect(stateOf(pids[1])).toBeDefined();
    // It is not for strangers to kill what somebody else's worker has started.
    const next = await family();
    expect(groupsIn(group)).toContain(left);
    expect(stateOf(pids[1])).toBeDefined();
    process.kill(pids[1], 'SIGKILL');
    await gone(pids[1]);
    const last = await family();
    expect(groupsIn(group)).not.toContain(left);
    for (const { child: each, pids: others } of [next, last]) {
      const guarding = await guardOf(each.pid);
      each.kill('SIGKILL');
      await gone(...others, guarding);
    }
  });

  test.each([
    ['process.exit()', 'process.exit(7)'],
    ['close() and process.exit() at once', 'farm.close().then(() => process.exit(7))'],
    ['a crash', `process.kill(process.pid, 'SIGSEGV')`],
  ])('with a parent that ends by %s', async (_, end) => {
    const { child, words } = parent(`
      const farm = new WorkerFarm(${JSON.stringify(worker)}, { max: 1 });
      process.once('SIGUSR2', () => { ${end}; });
      farm.ref().run('start', [{ detached: true }]).then((pids) => say(...pids));
    `);
    const pids = (await words()).map(Number);
    started.push(...pids);
    const guard = await guardOf(child.pid);
    child.kill('SIGUSR2');
    await gone(child.pid, ...pids, guard);
    await noGroupLeft();
  });

  test('a parent that is moved: groups of before and after go', async () => {
    const other = delegated();
    if ('why' in other) throw new Error(other.why);
    try {
      const { child, words } = parent(`
        const start = () => new WorkerFarm(${JSON.stringify(worker)}, { max: 1 }).ref().run('start', [{ detached: true }]).then((pids) => say(...pids));
        start().then(() => {
          require('node:fs').writeFileSync(${JSON.stringify(path.join(other.group, 'cgroup.procs'))}, String(process.pid));
          return start();
        });
      `);
      const pids = [...(await words()), ...(await words())].map(Number);
      started.push(...pids);
      expect(groupsIn(other.group)).toHaveLength(1);
      expect(groupsIn(group)).toHaveLength(1);
      await leavesNothing(child, pids, other.group);
    } finally {
      await removed(other.group);
    }
  });

  test('a user without privileges to whom it was given', async () => {
    const user = { uid: 65534, gid: 65534 };
    if (process.getuid?.() !== 0 || spawnSync(process.execPath, ['-e', `require(${JSON.stringify(worker)})`], { ...user, cwd: '/' }).status !== 0) {
      console.log('not checked: nobody else can be made to read this folder');
      return;
    }
    const other = delegated();
    if ('why' in other) throw new Error(other.why);
    try {
      for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']) fs.chownSync(path.join(other.group, file), user.uid, user.gid);
      const { child, words } = parent(
        `
        process.setgid(${user.gid});
        process.setuid(${user.uid});
        new WorkerFarm(${JSON.stringify(worker)}, { max: 1 }).ref().run('start', [{ detached: true }]).then((pids) => say(...pids));
        `,
        {},
        other.group,
      );
      const pids = (await words()).map(Number);
      started.push(...pids);
      expect(groupsIn(other.group)).toHaveLength(1);
      await leavesNothing(child, pids, other.group);
    } finally {
      await removed(other.group);
    }
  });

  test.each([
    ['killTree: false', { killTree: false }, {}],
    ['FARM_FORCE_NO_CGROUP', {}, { FARM_FORCE_NO_CGROUP: '1' }],
  ])('%s makes none', async (_, options, env) => {
    const { child, pids } = await family(options, { env });
    expect(groupsIn(group)).toEqual([]);
    const guard = options.killTree === false ? [] : [await guardOf(child.pid)];
    child.kill('SIGKILL');
    await gone(pids[0], ...guard);
    expect(stateOf(pids[1])).toBeDefined();
  });
});
