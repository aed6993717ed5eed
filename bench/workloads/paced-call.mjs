import { meterAllCpu } from '../clocks.mjs';
import { oneByOne, quantile, warmUp } from '../drive.mjs';

export const title = 'One trivial call at a time with pauses of 1 ms: every wake-up finds everybody asleep';
export const metrics = {
  p50: { title: 'p50', unit: 'µs' },
  cpu: { title: 'CPU of all processes, per call', unit: 'µs' },
};
// A heavier line would only show once more what `trivial` shows.
export const rivals = ['farm', 'worker-farm', 'piscina', 'fork-json', 'fork-advanced', 'threads'];

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs }) {
  const pool = await open();
  const task = () => pool.run('trivial', 41);
  await warmUp(task, { inFlight: 64, ms: warmUpMs, expected: 42 });
  await oneByOne(task, { ms: warmUpMs, pause: 1 });
  const usedCpu = meterAllCpu();
  const times = await oneByOne(task, { ms: ms * 1.3, pause: 1 });
  const cpu = usedCpu();
  return { p50: quantile(times, 0.5) * 1000, cpu: cpu / times.length };
}
