// What farm has to reach: one entry for each bar, all of them ratios within a run except those that say so.
import { RIVALS } from './rivals/index.mjs';

const label = (rival) => RIVALS[rival].label;

/** No figure, no verdict. */
const verdict = (value, hit, text) => (value === undefined ? undefined : { text, hit });

const times = (ratio) => `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;

function against(workload, metric, rival, sign, limit, what) {
  return {
    workload,
    bar: `${what}: ${sign} ${limit}× ${label(rival)}`,
    judge(figures) {
      const ratio = figures.ratio(workload, metric, rival);
      return verdict(ratio, sign === '≥' ? ratio >= limit : ratio <= limit, ratio && times(ratio));
    },
  };
}

function againstBest(workload, metric, sign, limits, what) {
  const limitOf = (major) => (typeof limits === 'number' ? limits : limits[major >= 26 ? 26 : 20]);
  const shown = typeof limits === 'number' ? `${limits}×` : `${limits[20]}× (Node 20), ${limits[26]}× (Node 26)`;
  return {
    workload,
    bar: `${what}: ${sign} ${shown} the best rival`,
    judge(figures, major) {
      const best = figures.best(workload, metric);
      if (!best) return undefined;
      const limit = limitOf(major);
      const hit = sign === '≥' ? best.ratio >= limit : best.ratio <= limit;
      return { text: `${times(best.ratio)} (${label(best.rival)})`, hit };
    },
  };
}

function alone(workload, metric, bar, show, holds) {
  return {
    workload,
    bar,
    judge(figures) {
      const value = figures.median(workload, metric);
      return value === undefined ? undefined : { text: show(value), hit: holds(value) };
    },
  };
}

/** @type {Array<{ workload: string, bar: string, judge(figures: import('./figures.mjs').Figures, major: number): { text: string, hit: boolean } | undefined }>} */
export const BARS = [
  against('trivial', 'rate', 'worker-farm', '≥', 4, 'trivial calls/s'),
  against('trivial', 'rate', 'threads', '≥', 3, 'trivial calls/s'),
  against('trivial', 'rate', 'piscina', '≥', 8, 'trivial calls/s'),
  against('trivial', 'rate', 'jest-processes', '≥', 8, 'trivial calls/s'),
  against('trivial', 'rate', 'jest-threads', '≥', 8, 'trivial calls/s'),
  against('trivial', 'mainCpu', 'threads', '≤', 0.4, "main thread's CPU per trivial call"),
  against('one-call', 'p50', 'threads', '≤', 0.5, 'one call at a time, p50'),
  against('paced-call', 'p50', 'threads', '≤', 1.1, 'with pauses of 1 ms, p50'),
  against('paced-call', 'cpu', 'fork-json', '≤', 1, 'with pauses of 1 ms, CPU of all processes'),
  againstBest('object-echo', 'rate', '≥', { 20: 1.5, 26: 1.3 }, '10 KB object echo'),
  againstBest('buffer-echo', 'rate', '≥', 3, '1 MiB buffer in and out'),
  againstBest('cpu-5ms', 'rate', '≥', 0.99, '5 ms tasks'),
  againstBest('cpu-100ms', 'rate', '≥', 0.99, '100 ms tasks'),
  againstBest('mixed', 'p99', '≤', 1, 'p99 of 1 ms tasks beside 100 ms tasks'),
  against('mixed', 'loopDelay', 'fork-json', '≤', 1, "worst delay of the parent's loop"),
  alone('blocked-parent', 'share', '5 ms tasks while the parent is blocked half of the time: ≥ 0.98× unblocked',
    (value) => `${value.toFixed(3)}×`, (value) => value >= 0.98),
  // A lost wake-up would show as the whole measurement; some time slices of a full machine are no stall.
  alone('endless-neighbour', 'longestWait', 'endless tasks beside trivial calls: no stall (no call waits 100 ms)',
    (value) => `${value.toFixed(1)} ms`, (value) => value < 100),
  alone('enforced-timeout', 'late', "timeout of a synchronous loop while the parent's loop is blocked: enforced within 20 ms, p50",
    (value) => `${value.toFixed(1)} ms`, (value) => value <= 20),
  alone('after-kill', 'spare', 'after a kill, with one warm spare: the next task starts within 2 ms, p50',
    (value) => `${value.toFixed(2)} ms`, (value) => value <= 2),
  // With the library loaded, as child_process is in every Node; the table of the workload shows the whole beside it.
  against('cold-start', 'start', 'fork-json', '≤', 1.05, 'cold first result'),
  alone('guard', 'ratio', 'first result of a farm with a guard process: ≤ 1.05× that without', times, (value) => value <= 1.05),
  {
    workload: 'idle-memory',
    bar: 'private memory per idle worker: ≤ bare fork + 4 MB',
    judge(figures) {
      const ours = figures.median('idle-memory', 'memory');
      const theirs = figures.median('idle-memory', 'memory', 'fork-json');
      if (ours === undefined || theirs === undefined) return undefined;
      const more = ours - theirs;
      return { text: `${more < 0 ? '−' : '+'}${Math.abs(more).toFixed(1)} MB`, hit: more <= 4 };
    },
  },
  alone('idle-cpu', 'cpu', 'idle, workers up: 0.0 % CPU', (value) => `${value.toFixed(2)} %`, (value) => value < 0.05),
  alone('backlog', 'growth', 'cost of a task with 1 M queued: ≤ 1.1× that with 1 k', times, (value) => value <= 1.1),
];
