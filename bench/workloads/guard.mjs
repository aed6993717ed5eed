import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, privateMemory } from '../clocks.mjs';

export const title = 'The guard process (killTree): its private memory, and the first result of a new farm of one worker with it and without';
export const metrics = {
  memory: { title: 'private memory of the guard', unit: 'KB' },
  ratio: { title: 'first result with it ÷ without', unit: '×' },
};
/** No other pool has such a process. */
export const rivals = ['farm'];

const PAIRS = { full: 15, quick: 3 };

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const isGuard = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('farm-guard:');
  } catch {
    return false; // it ended between the listing and the reading
  }
};

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, load, quick }) {
  await load();
  const firstResult = async (killTree) => {
    const before = performance.now();
    const pool = await open({ workers: 1, killTree });
    await pool.run('trivial', 41);
    const ms = performance.now() - before;
    await pool.stop();
    return ms;
  };
  await firstResult(true);
  const times = { with: [], without: [] };
  for (let pair = 0; pair < (quick ? PAIRS.quick : PAIRS.full); pair++) {
    // Each first half of the time: whoever comes second finds warmer caches.
    const order = pair % 2 ? [true, false] : [false, true];
    for (const killTree of order) times[killTree ? 'with' : 'without'].push(await firstResult(killTree));
  }
  const pool = await open({ workers: 1, killTree: true });
  await pool.run('trivial', 41);
  let guard;
  while ((guard = descendants().find(isGuard)) === undefined) await sleep(5);
  await sleep(100); // it has started, and sleeps
  return { memory: privateMemory(guard) * 1024, ratio: median(times.with) / median(times.without) };
}
