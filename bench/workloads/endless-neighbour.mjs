import { setTimeout as sleep } from 'node:timers/promises';
import { warmUp } from '../drive.mjs';

export const title = 'An endless task on every worker but one, trivial calls beside them, 64 in flight';
export const metrics = {
  longestWait: { title: 'longest wait for a result', unit: 'ms' },
  rate: { title: 'calls/s', unit: '/s', higher: true },
};
export const endless = true;

const IN_FLIGHT = 64;

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs, workers }) {
  const pool = await open({ depth: 1 });
  await warmUp(() => pool.run('trivial', 41), { inFlight: IN_FLIGHT, ms: warmUpMs, expected: 42 });
  // They never settle; what becomes of them when the pool is stopped is not measured.
  for (let i = 1; i < workers; i++) pool.run('forever').then(() => {}, () => {});
  await sleep(50);

  let count = 0;
  let longestWait = 0;
  let over = false;
  const since = new Float64Array(IN_FLIGHT);
  const start = performance.now();
  const chain = (index) => {
    since[index] = performance.now();
    pool.run('trivial', 41).then(() => {
      if (over) return;
      longestWait = Math.max(longestWait, performance.now() - since[index]);
      count++;
      chain(index);
    }, () => {});
  };
  for (let i = 0; i < IN_FLIGHT; i++) chain(i);
  await sleep(ms);
  over = true;
  const now = performance.now();
  // A call without an answer has waited until now: a stalled pool shows the whole time.
  for (const moment of since) longestWait = Math.max(longestWait, now - moment);
  return { longestWait, rate: (count / (now - start)) * 1000 };
}
