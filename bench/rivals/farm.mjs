import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { createService, farmOf } = createRequire(import.meta.url)('../../index.js');
const script = fileURLToPath(new URL('../tasks.cjs', import.meta.url));

export async function start({ workers, killTree }) {
  const service = createService(script, { min: workers, max: workers, killTree });
  const farm = farmOf(service);
  await farm.ready();
  return {
    run: (method, arg) => service[method](arg),
    stop: ({ force = false } = {}) => (force ? farm.destroy() : farm.close()),
  };
}
