import { warmUp } from '../drive.mjs';

export const title = 'Cost of a task when 1 M are submitted at once and when 1 k are, less that of as many bare promises';
export const metrics = {
  growth: { title: 'cost at 1 M ÷ cost at 1 k', unit: '×' },
  few: { title: 'cost at 1 k', unit: 'µs' },
  many: { title: 'cost at 1 M', unit: 'µs' },
  promise: { title: 'a bare promise at 1 M', unit: 'µs' },
};
export const rivals = ['farm', 'threads'];
/** V8's collector has its own moments. */
export const repeats = { full: 7, quick: 1 };

const FEW = 1000;

/** All at once; resolves with milliseconds when the last has settled. */
function submitAll(task, total) {
  return new Promise((resolve, reject) => {
    let settled = 0;
    const next = () => {
      if (++settled === total) resolve(performance.now() - start);
    };
    const start = performance.now();
    for (let i = 0; i < total; i++) task().then(next, reject);
  });
}

/** The same loop without a pool: promises that wait in a table and are settled in batches, a turn of the loop each. */
function bareTask() {
  let waiting = [];
  let head = 0;
  const settleSome = () => {
    for (let left = FEW; left > 0 && head < waiting.length; left--) {
      waiting[head](42);
      waiting[head++] = undefined;
    }
    if (head < waiting.length) {
      setImmediate(settleSome);
    } else {
      waiting = [];
      head = 0;
    }
  };
  return () => new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(settleSome);
  });
}

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, warmUpMs, quick }) {
  const many = quick ? 200_000 : 1_000_000;
  const pool = await open();
  const task = () => pool.run('trivial', 41);
  const bare = bareTask();
  await warmUp(task, { inFlight: FEW, ms: warmUpMs, expected: 42 });
  await warmUp(bare, { inFlight: FEW, ms: warmUpMs, expected: 42 });

  const cost = async (work, total, times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += await submitAll(work, total);
    return (sum / times / total) * 1000;
  };
  const few = await cost(task, FEW, 100) - await cost(bare, FEW, 100);
  let promise = 0;
  let gross = 0;
  for (let i = 0; i < 2; i++) {
    promise += await cost(bare, many, 1) / 2;
    gross += await cost(task, many, 1) / 2;
  }
  return { growth: (gross - promise) / few, few, many: gross - promise, promise };
}
