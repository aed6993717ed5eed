import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, privateMemory } from '../clocks.mjs';
import { warmUp } from '../drive.mjs';
import { RIVALS } from '../rivals/index.mjs';

export const title = 'Private memory (RssAnon) of all child processes, per worker, after some calls and 0.5 s of rest';
export const metrics = { memory: { title: 'per worker', unit: 'MB' } };
// A thread's memory is part of its process and has no figure of its own.
export const rivals = Object.keys(RIVALS).filter((name) => RIVALS[name].process);

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, warmUpMs, workers }) {
  const pool = await open();
  await warmUp(() => pool.run('trivial', 41), { inFlight: 64, ms: warmUpMs / 10, expected: 42 });
  await sleep(500);
  // Whatever else a pool runs beside its workers is counted with them.
  const total = descendants().reduce((sum, pid) => sum + privateMemory(pid), 0);
  return { memory: total / workers };
}
