'use strict';

// examples/shutdown as process managers end it: nothing is lost, nothing is done twice, nobody is left.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { childrenOf } = require('../fixtures/guard/family');
const { folder, gone, root, until } = require('../fixtures/life/processes');

const main = path.join(root, 'examples', 'shutdown', 'main.js');
const ORDERS = 60;

const base = folder();
let serial = 0;
/** @type {Set<import('node:child_process').ChildProcess>} */
const started = new Set();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** An inbox full of orders, and a process at work on it. @param {string[]} [wrap] the command that runs it */
function atWork(wrap = [], env = {}) {
  const dir = path.join(base, String(serial++));
  const [inbox, outbox] = ['inbox', 'outbox'].map((name) => path.join(dir, name));
  for (const each of [inbox, outbox]) fs.mkdirSync(each, { recursive: true });
  for (let n = 0; n < ORDERS; n++) fs.writeFileSync(path.join(inbox, `order-${n}`), `order ${n}\n`);
  return { inbox, outbox, ...run(inbox, outbox, wrap, env) };
}

function run(inbox, outbox, wrap = [], env = {}) {
  const [command, ...args] = [...wrap, process.execPath, main, inbox, outbox];
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
  started.add(child);
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, lines });
    });
  });
  return { child, ended };
}

const visible = (dir) => fs.readdirSync(dir).filter((name) => !name.startsWith('.'));
const someDone = (outbox) => until(() => visible(outbox).length >= 8);

/** Each order is in one place, as a whole. */
function expectNothingLost(inbox, outbox) {
  const [left, done] = [visible(inbox), visible(outbox)];
  expect(new Set([...left, ...done]).size).toBe(ORDERS);
  expect(left.length + done.length).toBe(ORDERS);
  for (const name of done) expect(fs.readFileSync(path.join(outbox, name), 'utf8')).toBe(`${name.replace('-', ' ')} done\n`);
  return { left: left.length, done: done.length };
}

/** It has ended by itself, having finished what it began. */
function expectDrained({ code, signal, lines }, inbox, outbox, by) {
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  const { left, done } = expectNothingLost(inbox, outbox);
  expect(lines).toEqual([`${by}: no more orders`, `closed: ${done} orders done`]);
  expect(left).toBeGreaterThan(0);
}

test('PM2: SIGINT to every process of the tree', async () => {
  const { child, ended, inbox, outbox } = atWork();
  await someDone(outbox);
  const family = [child.pid, ...childrenOf(child.pid)];
  expect(family.length).toBeGreaterThan(2);
  // From the leaves up, as it does; its SIGKILL would follow after the kill timeout.
  for (const pid of family.reverse()) process.kill(pid, 'SIGINT');
  expectDrained(await ended, inbox, outbox, 'SIGINT');
  await gone(...family);
});

test('and the SIGKILL, for one that takes too long', async () => {
  const { child, ended, inbox, outbox } = atWork();
  await someDone(outbox);
  const family = [child.pid, ...childrenOf(child.pid)];
  process.kill(child.pid, 'SIGINT');
  process.kill(child.pid, 'SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  await gone(...family);
  // An order whose result was there already is done twice at most, to the same end.
  const again = run(inbox, outbox);
  await until(() => visible(inbox).length === 0);
  process.kill(again.child.pid, 'SIGTERM');
  expect(await again.ended).toMatchObject({ code: 0 });
  expect(expectNothingLost(inbox, outbox)).toEqual({ left: 0, done: ORDERS });
});

test('a container: SIGTERM to the main process', async () => {
  const { child, ended, inbox, outbox } = atWork();
  await someDone(outbox);
  child.kill('SIGTERM');
  expectDrained(await ended, inbox, outbox, 'SIGTERM');
});

describe('as PID 1', () => {
  const wrap = ['unshare', '--pid', '--fork', '--mount-proc'];
  const tried = spawnSync(wrap[0], [...wrap.slice(1), 'true'], { encoding: 'utf8' });
  const refusal = tried.status === 0 ? undefined : `no process namespace can be made here: ${tried.error?.code ?? tried.stderr.trim()}`;
  if (refusal !== undefined) console.log(`skipped: ${refusal}`);
  const testHere = refusal === undefined ? test : test.skip;

  /** The process that is 1 in there. */
  const first = async (child) => {
    await until(() => childrenOf(child.pid).length === 1);
    return childrenOf(child.pid)[0];
  };

  testHere('SIGTERM', async () => {
    const { child, ended, inbox, outbox } = atWork(wrap);
    await someDone(outbox);
    process.kill(await first(child), 'SIGTERM');
    expectDrained(await ended, inbox, outbox, 'SIGTERM');
  });

  testHere('SIGKILL', async () => {
    const { child, inbox, outbox } = atWork(wrap);
    await someDone(outbox);
    const one = await first(child);
    const family = [one, ...childrenOf(one)];
    expect(family.length).toBeGreaterThan(2);
    process.kill(one, 'SIGKILL');
    await gone(...family);
    const both = visible(inbox).filter((name) => visible(outbox).includes(name));
    expect(new Set([...visible(inbox), ...visible(outbox)]).size).toBe(ORDERS);
    expect(both.length).toBeLessThanOrEqual(family.length);
  });
});

test('tasks that do not end in time are given up, and their orders stay', async () => {
  const { child, ended, inbox, outbox } = atWork([], { GRACE: '0' });
  await someDone(outbox);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
  expect(new Set([...visible(inbox), ...visible(outbox)]).size).toBe(ORDERS);
});
