// One measurement: one rival, one workload, one process. Writes one line of JSON; whatever else a pool prints is not it.
//   node measure.mjs <rival> <workload> '{"workers":2,"ms":1000,"warmUpMs":300,"unitsPerMs":300}'
import { writeSync } from 'node:fs';
import { loadRival } from './rivals/index.mjs';
import { loadWorkload } from './workloads/index.mjs';

const [rival, name, settings] = process.argv.slice(2);
const workload = await loadWorkload(name);

/** @type {import('./rivals/index.mjs').Pool | undefined} */
let pool;
const context = {
  ...JSON.parse(settings),
  rival,
  load: () => loadRival(rival),
  async open(options = {}) {
    const start = await loadRival(rival);
    pool = await start({ workers: context.workers, ...options });
    return pool;
  },
};

let line;
try {
  line = { metrics: await workload.measure(context) };
} catch (error) {
  line = { error: String(error?.stack ?? error) };
}
writeSync(1, `\n@measured ${JSON.stringify(line)}\n`);
try {
  await pool?.stop({ force: Boolean(workload.endless) });
} finally {
  process.exit();
}
