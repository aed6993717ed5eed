import { oneByOne, quantile, warmUp } from '../drive.mjs';

export const title = 'One trivial call at a time, back to back';
export const metrics = {
  p50: { title: 'p50', unit: 'µs' },
  p99: { title: 'p99', unit: 'µs' },
};

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs }) {
  const pool = await open();
  const task = () => pool.run('trivial', 41);
  await warmUp(task, { inFlight: 64, ms: warmUpMs, expected: 42 });
  await oneByOne(task, { ms: warmUpMs });
  const times = await oneByOne(task, { ms: ms * 0.7 });
  return { p50: quantile(times, 0.5) * 1000, p99: quantile(times, 0.99) * 1000 };
}
