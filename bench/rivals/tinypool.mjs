import { fileURLToPath } from 'node:url';
import { Tinypool } from 'tinypool';

const filename = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers }) {
  const pool = new Tinypool({ filename, runtime: 'worker_threads', minThreads: workers, maxThreads: workers });
  return {
    run: (name, arg) => pool.run(arg, { name }),
    stop: () => pool.destroy(),
  };
}
