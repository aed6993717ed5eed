import { setTimeout as sleep } from 'node:timers/promises';
import { meterAllCpu } from '../clocks.mjs';
import { median, warmUp } from '../drive.mjs';

export const title = 'Nothing to do for 10 s, workers up: CPU of all processes';
export const metrics = {
  // Some 8 s after the last calls V8 collects once more what they left behind: about 0.2 % of 10 s, in every rival's
  // parent, Node's own and in one window only. What a pool does by itself is in each of them.
  cpu: { title: 'median of five windows of 2 s', unit: '%' },
  mean: { title: 'mean of the 10 s', unit: '%' },
};
export const rivals = ['farm', 'fork-json', 'threads'];
export const repeats = { full: 1, quick: 1 };

const WINDOWS = 5;

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, warmUpMs, quick }) {
  const pool = await open();
  await warmUp(() => pool.run('trivial', 41), { inFlight: 64, ms: warmUpMs, expected: 42 });
  await sleep(quick ? 300 : 1000);
  const shares = [];
  for (let i = 0; i < WINDOWS; i++) {
    const usedCpu = meterAllCpu();
    const start = performance.now();
    await sleep(quick ? 400 : 2000);
    const took = performance.now() - start;
    shares.push((usedCpu() / 1000 / took) * 100);
  }
  return { cpu: median(shares), mean: shares.reduce((sum, share) => sum + share, 0) / WINDOWS };
}
