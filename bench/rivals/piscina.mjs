import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

const filename = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers }) {
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers });
  return {
    run: (name, arg) => pool.run(arg, { name }),
    runWithin: (timeout, name, arg) => pool.run(arg, { name, signal: AbortSignal.timeout(timeout) }).catch(() => {}),
    victim(name) {
      const controller = new AbortController();
      const ended = pool.run(undefined, { name, signal: controller.signal }).catch(() => {});
      return { ended, kill: () => controller.abort() };
    },
    stop: () => pool.destroy(),
  };
}
