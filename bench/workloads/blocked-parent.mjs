import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { warmUp } from '../drive.mjs';

const { spin } = createRequire(import.meta.url)('../tasks.cjs');

export const title = "Tasks of 5 ms, 96 outstanding, the parent's loop blocked half of the time, 50 ms at once";
export const metrics = { share: { title: 'throughput: blocked ÷ unblocked', unit: '×', higher: true } };
export const rivals = ['farm', 'worker-farm', 'piscina', 'fork-json', 'threads'];

const OUTSTANDING = 96;
const PERIOD = 100;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs, unitsPerMs, quick }) {
  const pool = await open();
  const units = Math.round(unitsPerMs * 5);
  await warmUp(() => pool.run('spin', units), { inFlight: 8, ms: warmUpMs, expected: spin(units) });

  let settled = 0;
  let over = false;
  const chain = async () => {
    for (; !over; settled++) await pool.run('spin', units);
  };
  const chains = Array.from({ length: OUTSTANDING }, chain);

  // Both kinds of window end after a free half, when all that was done meanwhile has been counted.
  const window = async (blocked, periods) => {
    const from = settled;
    const start = performance.now();
    for (let i = 0; i < periods; i++) {
      if (blocked) Atomics.wait(cell, 0, 0, PERIOD / 2);
      else await sleep(PERIOD / 2);
      await sleep(PERIOD / 2);
    }
    return { tasks: settled - from, ms: performance.now() - start };
  };

  // Turn and turn about, so that a machine that slows down slows both.
  const sums = { free: { tasks: 0, ms: 0 }, blocked: { tasks: 0, ms: 0 } };
  await window(false, 2);
  for (let turn = 0; turn < (quick ? 1 : 3); turn++) {
    for (const kind of ['free', 'blocked']) {
      const { tasks, ms: took } = await window(kind === 'blocked', Math.round(ms / 2 / PERIOD) || 1);
      sums[kind].tasks += tasks;
      sums[kind].ms += took;
    }
  }
  over = true;
  await Promise.all(chains);
  const rate = ({ tasks, ms: took }) => tasks / took;
  return { share: rate(sums.blocked) / rate(sums.free) };
}
