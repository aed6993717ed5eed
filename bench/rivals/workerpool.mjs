import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';

const script = fileURLToPath(new URL('./workers/workerpool.cjs', import.meta.url));

export async function start({ workers }) {
  const pool = workerpool.pool(script, { workerType: 'thread', minWorkers: workers, maxWorkers: workers });
  return {
    run: (method, arg) => pool.exec(method, [arg]),
    runWithin: (timeout, method, arg) => pool.exec(method, [arg]).timeout(timeout).catch(() => {}),
    victim(method) {
      const task = pool.exec(method, []);
      return { ended: task.catch(() => {}), kill: () => { task.cancel(); } };
    },
    stop: ({ force = false } = {}) => pool.terminate(force),
  };
}
