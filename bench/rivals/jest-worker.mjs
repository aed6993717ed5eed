import { fileURLToPath } from 'node:url';
import { Worker } from 'jest-worker';

const script = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers, variant }) {
  const pool = new Worker(script, {
    enableWorkerThreads: variant === 'threads',
    numWorkers: workers,
    exposedMethods: ['trivial', 'echo', 'fresh', 'spin', 'forever'],
  });
  return { run: (method, arg) => pool[method](arg), stop: () => pool.end() };
}
