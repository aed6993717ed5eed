import { Worker } from 'node:worker_threads';
import { BarePool } from './bare-pool.mjs';

const script = new URL('./workers/thread.cjs', import.meta.url);

export async function start({ workers, depth }) {
  const threads = Array.from({ length: workers }, () => new Worker(script));
  const lines = threads.map((thread) => ({ send: (message) => thread.postMessage(message) }));
  const pool = new BarePool(lines, depth);
  threads.forEach((thread, index) => {
    thread.on('message', (reply) => pool.settle(index, reply[0], reply[1]));
  });
  return {
    run: (method, arg) => pool.run(method, arg),
    stop: () => Promise.all(threads.map((thread) => thread.terminate())),
  };
}
