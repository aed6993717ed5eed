import { fileURLToPath } from 'node:url';
import workerFarm from 'worker-farm';

const script = fileURLToPath(new URL('./workers/worker-farm.cjs', import.meta.url));
const METHODS = ['trivial', 'echo', 'fresh', 'spin', 'forever'];

export async function start({ workers, binary }) {
  const children = [];
  const options = { maxConcurrentWorkers: workers, autoStart: true, onChild: (child) => children.push(child) };
  // Its default line is JSON, the quicker of the two for small values, and unable to carry bytes.
  if (binary) options.workerOptions = { serialization: 'advanced' };
  const methods = workerFarm(options, script, METHODS);
  const run = (method, arg) => new Promise((resolve, reject) => {
    methods[method](arg, (error, value) => (error ? reject(error) : resolve(value)));
  });
  const stop = ({ force = false } = {}) => {
    if (!force) return new Promise((resolve) => workerFarm.end(methods, resolve));
    // It would start new children for the tasks of those it loses; this process ends before it sees them gone.
    for (const child of children) child.kill('SIGKILL');
  };
  return { run, stop };
}
