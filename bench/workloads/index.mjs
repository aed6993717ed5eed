// The workloads in the order of the report. Each module exports
//   title    what is done, in one line
//   metrics  key → { title, unit, higher }: what comes out, and whether more is better
//   measure  (context) → { key: number }
// and where needed `rivals` (who takes part; all by default), `repeats` (instead of the rounds asked for),
// `endless` (tasks remain at the end: stop the pool by force).

/**
 * @typedef {{ title: string, unit: string, higher?: boolean }} Metric
 * @typedef {object} Context
 * @property {string} rival
 * @property {number} workers
 * @property {number} ms length of the measured part
 * @property {number} warmUpMs
 * @property {number} unitsPerMs work of spin() that takes a millisecond on a free core
 * @property {boolean} quick
 * @property {() => Promise<unknown>} load loads the rival's code, no more; nothing of it is loaded before
 * @property {(options?: object) => Promise<import('../rivals/index.mjs').Pool>} open loads it and starts its workers
 */

export const WORKLOADS = [
  'trivial',
  'one-call',
  'paced-call',
  'object-echo',
  'buffer-echo',
  'cpu-5ms',
  'cpu-100ms',
  'mixed',
  'blocked-parent',
  'endless-neighbour',
  'enforced-timeout',
  'after-kill',
  'cold-start',
  'idle-memory',
  'idle-cpu',
  'guard',
  'backlog',
];

/** @param {string} name */
export const loadWorkload = (name) => import(`./${name}.mjs`);
