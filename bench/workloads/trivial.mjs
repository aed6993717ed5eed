import { mainThreadCpu } from '../clocks.mjs';
import { keepInFlight, warmUp } from '../drive.mjs';

export const title = 'A trivial call (a number in, a number out), 64 in flight';
export const metrics = {
  rate: { title: 'calls/s', unit: '/s', higher: true },
  mainCpu: { title: "main thread's CPU per call", unit: 'µs' },
};

const IN_FLIGHT = 64;

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs }) {
  const pool = await open();
  const task = () => pool.run('trivial', 41);
  await warmUp(task, { inFlight: IN_FLIGHT, ms: warmUpMs, expected: 42 });
  const before = mainThreadCpu();
  const { count, ms: took } = await keepInFlight(task, IN_FLIGHT, ms);
  return { rate: (count / took) * 1000, mainCpu: (mainThreadCpu() - before) / count };
}
