import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { createService, farmOf } = createRequire(import.meta.url)('../../index.js');
const script = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers, killTree, spares, ready = true }) {
  const service = createService(script, { min: workers, max: workers, killTree, spares });
  const farm = farmOf(service);
  if (ready) await farm.ready();
  return {
    run: (method, arg) => service[method](arg),
    runWithin: (timeout, method, arg) => farm.run(method, [arg], { timeout }).catch(() => {}),
    async victim(method) {
      const pid = await service.pid();
      return { ended: service[method]().catch(() => {}), kill: () => process.kill(pid, 'SIGKILL') };
    },
    stop: ({ force = false } = {}) => (force ? farm.destroy() : farm.close()),
  };
}
