import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median } from '../drive.mjs';

export const title = "An endless synchronous task with a timeout of 200 ms; the parent's loop is blocked for a second meanwhile";
export const metrics = { late: { title: 'by how much the task outlived its timeout, p50', unit: 'ms' } };
export const rivals = ['farm', 'piscina', 'workerpool'];
export const endless = true;

const TIMEOUT = 200;
const BLOCK = 1000;
const TIMES = { quick: 2, full: 7 };
const cell = new Int32Array(new SharedArrayBuffer(4));

/** The first and the last moment at which the task was seen to run, in ms; tasks.cjs writes them into the file. */
function beats(file) {
  const fd = openSync(file, 'r');
  const words = new Float64Array(2);
  readSync(fd, new Uint8Array(words.buffer), 0, 16, 0);
  closeSync(fd);
  return words;
}

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, quick }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'farm-bench-'));
  try {
    const pool = await open({ workers: 1 });
    const late = [];
    for (let i = 0; i < (quick ? TIMES.quick : TIMES.full); i++) {
      const file = path.join(folder, String(i));
      await pool.run('now');
      const ended = pool.runWithin(TIMEOUT, 'beat', file);
      // What was called in this turn of the loop is on its way when the next one begins.
      await new Promise((resolve) => { setImmediate(resolve); });
      Atomics.wait(cell, 0, 0, BLOCK);
      await ended;
      const [first, last] = beats(file);
      late.push(last - first - TIMEOUT);
    }
    return { late: median(late) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
