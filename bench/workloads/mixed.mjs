import { createRequire } from 'node:module';
import { quantile, warmUp } from '../drive.mjs';

const { spin } = createRequire(import.meta.url)('../tasks.cjs');

export const title = 'Tasks of 1 ms, 4 in flight, beside tasks of 100 ms, always one of them';
export const metrics = {
  p99: { title: 'p99 of the 1 ms tasks', unit: 'ms' },
  loopDelay: { title: "worst delay of the parent's loop", unit: 'ms' },
};

/** Both figures hang on a few moments of a second and a half: single rounds say little. */
export const repeats = { full: 9, quick: 1 };

const SHORT_IN_FLIGHT = 4;

/** The longest time by which a timer of 1 ms was late. */
function watchLoop() {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 1);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return Math.max(worst, performance.now() - last - 1);
  };
}

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs, unitsPerMs }) {
  // A bare pool that hands a worker everything at once would lose this by its author's carelessness.
  const pool = await open({ depth: 1 });
  const short = Math.round(unitsPerMs);
  const long = Math.round(unitsPerMs * 100);
  await warmUp(() => pool.run('spin', short), { inFlight: 8, ms: warmUpMs, expected: spin(short) });

  const times = [];
  const stopWatching = watchLoop();
  const until = performance.now() + ms * 1.6;
  const longChain = async () => {
    while (performance.now() < until) await pool.run('spin', long);
  };
  const shortChain = async () => {
    for (let start; (start = performance.now()) < until;) {
      await pool.run('spin', short);
      times.push(performance.now() - start);
    }
  };
  await Promise.all([longChain(), ...Array.from({ length: SHORT_IN_FLIGHT }, shortChain)]);
  return { p99: quantile(times, 0.99), loopDelay: stopWatching() };
}
