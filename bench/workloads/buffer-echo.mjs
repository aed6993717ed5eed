import assert from 'node:assert/strict';
import { keepInFlight, warmUp } from '../drive.mjs';
import { RIVALS } from '../rivals/index.mjs';

export const title = 'A Buffer of 1 MiB in, a fresh one of 1 MiB out, no transfer lists, 4 in flight';
export const metrics = { rate: { title: 'calls/s', unit: '/s', higher: true } };
export const rivals = Object.keys(RIVALS).filter((name) => RIVALS[name].binary !== false);

const IN_FLIGHT = 4;
const SIZE = 1024 * 1024;

const input = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * 31) & 0xff));
const expected = Buffer.from(input);
expected[0] ^= 0xff;

// The worker changes the first byte, so an argument handed back unread does not pass.
function check(output) {
  assert.equal(output.byteLength, SIZE);
  assert.equal(Buffer.compare(output, expected), 0, 'the buffer came back with other bytes');
}

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs }) {
  const pool = await open({ binary: true });
  const task = () => pool.run('fresh', input);
  await warmUp(task, { inFlight: IN_FLIGHT, ms: warmUpMs, check });
  const { count, ms: took } = await keepInFlight(task, IN_FLIGHT, ms);
  return { rate: (count / took) * 1000 };
}
