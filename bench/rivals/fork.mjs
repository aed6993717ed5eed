import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BarePool } from './bare-pool.mjs';

const script = fileURLToPath(new URL('./workers/fork.cjs', import.meta.url));

export async function start({ workers, depth, variant: serialization }) {
  const children = Array.from({ length: workers }, () => fork(script, [], { serialization }));
  const pool = new BarePool(children, depth);
  children.forEach((child, index) => {
    child.on('message', (reply) => pool.settle(index, reply[0], reply[1]));
  });
  return {
    run: (method, arg) => pool.run(method, arg),
    stop: () => Promise.all(children.map((child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      return gone;
    })),
  };
}
