import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../drive.mjs';

export const title = 'A pool of one worker, killed in the middle of an endless task while another task waits';
export const metrics = {
  next: { title: 'from the kill to the start of the next task, p50', unit: 'ms' },
  spare: { title: 'the same with one warm spare, p50', unit: 'ms' },
  timeout: { title: 'from the rejection for a timeout to the start of the next task, with one warm spare, p50', unit: 'ms' },
};
export const rivals = ['farm', 'piscina', 'workerpool'];
export const endless = true;

const KILLS = { quick: 5, full: 15 };
const TIMEOUT = 50;

/** The clock that `now` in ../tasks.cjs reads too, in every thread and process. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** @param {import('../rivals/index.mjs').Pool} pool */
async function killAgainAndAgain(pool, kills) {
  const times = [];
  for (let i = 0; i < kills; i++) {
    await pool.run('now');
    // A spare has the time to become warm, as between two real crashes.
    await sleep(300);
    const victim = await pool.victim('forever');
    const next = pool.run('now');
    await sleep(20);
    const killed = now();
    await victim.kill();
    times.push((await next) - killed);
    await victim.ended;
  }
  return median(times);
}

/**
 * The pool kills by itself: the synchronous task has its time to answer to the cancel, then the worker goes.
 * @param {import('../rivals/index.mjs').Pool} pool
 */
async function timeOutAgainAndAgain(pool, kills) {
  const times = [];
  for (let i = 0; i < kills; i++) {
    await pool.run('now');
    await sleep(300);
    const ended = pool.runWithin(TIMEOUT, 'forever').then(now);
    const next = pool.run('now');
    times.push((await next) - (await ended));
  }
  return median(times);
}

/** @param {import('./index.mjs').Context} context */
export async function measure({ rival, open, quick }) {
  const kills = quick ? KILLS.quick : KILLS.full;
  const pool = await open({ workers: 1 });
  const next = await killAgainAndAgain(pool, kills);
  if (rival !== 'farm') return { next };
  await pool.stop({ force: true });
  const prepared = await open({ workers: 1, spares: 1 });
  const spare = await killAgainAndAgain(prepared, kills);
  return { next, spare, timeout: await timeOutAgainAndAgain(prepared, kills) };
}
