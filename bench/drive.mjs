// How tasks are put to a pool: the same for every rival.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Brings all workers up and their code to full speed, and checks every result on the way.
 * @param {() => PromiseLike<any>} task
 * @param {{ inFlight: number, ms: number, expected?: unknown, check?: (value: any) => void }} how
 */
export async function warmUp(task, { inFlight, ms, expected, check }) {
  const verify = check ?? ((value) => assert.deepEqual(value, expected));
  const until = performance.now() + ms;
  const chain = async () => {
    do verify(await task()); while (performance.now() < until);
  };
  await Promise.all(Array.from({ length: inFlight }, chain));
}

/**
 * Keeps `inFlight` tasks open for `ms`.
 * @param {() => PromiseLike<any>} task
 * @returns {Promise<{ count: number, ms: number }>} tasks settled within the time, and the time
 */
export function keepInFlight(task, inFlight, ms) {
  return new Promise((resolve, reject) => {
    let count = 0;
    let open = inFlight;
    let result = null;
    const next = () => {
      if (result === null) {
        count++;
        task().then(next, reject);
      } else if (--open === 0) {
        resolve(result);
      }
    };
    const start = performance.now();
    setTimeout(() => { result = { count, ms: performance.now() - start }; }, ms);
    for (let i = 0; i < inFlight; i++) task().then(next, reject);
  });
}

/**
 * Runs exactly `total` tasks, `inFlight` at a time.
 * @returns {Promise<number>} milliseconds from the first submit to the last result
 */
export function runAll(task, inFlight, total) {
  return new Promise((resolve, reject) => {
    let submitted = 0;
    let settled = 0;
    const start = performance.now();
    const submit = () => {
      submitted++;
      task().then(next, reject);
    };
    const next = () => {
      if (++settled === total) resolve(performance.now() - start);
      else if (submitted < total) submit();
    };
    for (let i = Math.min(inFlight, total); i > 0; i--) submit();
  });
}

/**
 * One task at a time.
 * @param {{ ms: number, pause?: number }} how
 * @returns {Promise<number[]>} milliseconds of each call
 */
export async function oneByOne(task, { ms, pause = 0 }) {
  const times = [];
  const until = performance.now() + ms;
  for (let now = performance.now(); now < until;) {
    await task();
    const done = performance.now();
    times.push(done - now);
    if (pause > 0) await sleep(pause);
    now = performance.now();
  }
  return times;
}

/** @param {number[]} values @param {number} share 0 to 1 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
