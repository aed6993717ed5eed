import assert from 'node:assert/strict';

export const title = 'The first result of a pool of one worker, from the first line of code that loads the library';
export const metrics = {
  total: { title: 'library loaded to first result', unit: 'ms' },
  start: { title: 'of it after the library was loaded', unit: 'ms' },
};
export const repeats = { full: 30, quick: 4 };

/** @param {import('./index.mjs').Context} context */
export async function measure({ load, open }) {
  const before = performance.now();
  await load();
  const loaded = performance.now();
  // A program calls at once; the other pools have nothing to wait for.
  const pool = await open({ workers: 1, ready: false });
  assert.equal(await pool.run('trivial', 41), 42);
  const now = performance.now();
  return { total: now - before, start: now - loaded };
}
