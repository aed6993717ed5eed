import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

const filename = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers }) {
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers });
  return {
    run: (name, arg) => pool.run(arg, { name }),
    stop: () => pool.destroy(),
  };
}
