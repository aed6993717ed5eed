// The two workloads of CPU-bound tasks differ only in the length of a task.
import { createRequire } from 'node:module';
import { runAll, warmUp } from './drive.mjs';

const { spin } = createRequire(import.meta.url)('./tasks.cjs');

/**
 * @param {import('./workloads/index.mjs').Context} context
 * @param {number} length milliseconds of a task on a free core
 */
export async function cpuTasks({ open, ms, warmUpMs, unitsPerMs, workers }, length) {
  const pool = await open();
  const small = Math.round(unitsPerMs);
  await warmUp(() => pool.run('spin', small), { inFlight: 8, ms: warmUpMs, expected: spin(small) });
  const units = Math.round(unitsPerMs * length);
  // The same number of whole tasks for each worker: a rest would measure the rest.
  const total = Math.max(2, Math.round((ms * 1.2) / length)) * workers;
  const took = await runAll(() => pool.run('spin', units), 8 * workers, total);
  return { rate: (total / took) * 1000 };
}
