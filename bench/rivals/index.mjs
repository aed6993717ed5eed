// Who is measured, in the order of the tables. Adapters are loaded only by the process that measures one of them:
// each exports `start({ workers, depth, binary, variant })`, which answers `{ run(method, arg), stop({ force }) }`.

/**
 * @typedef {object} Pool
 * @property {(method: string, arg?: unknown) => PromiseLike<any>} run
 * @property {(how?: { force?: boolean }) => unknown} stop
 * @property {(ms: number, method: string, arg?: unknown) => Promise<unknown>} [runWithin] a task with a timeout; settles when it is over
 * @property {(method: string) => any} [victim] a running task `{ ended, kill }` whose worker can be killed
 * @typedef {{ workers: number, depth?: number, binary?: boolean, spares?: number }} StartOptions
 * @typedef {{ label: string, file: string, variant?: string, process: boolean, binary?: false }} Rival
 */

/** @type {Record<string, Rival>} */
export const RIVALS = {
  farm: { label: '**farm**', file: 'farm', process: true },
  'worker-farm': { label: 'worker-farm', file: 'worker-farm', process: true },
  'jest-processes': { label: 'jest-worker, processes', file: 'jest-worker', variant: 'processes', process: true },
  'jest-threads': { label: 'jest-worker, threads', file: 'jest-worker', variant: 'threads', process: false },
  piscina: { label: 'piscina', file: 'piscina', process: false },
  tinypool: { label: 'tinypool', file: 'tinypool', process: false },
  workerpool: { label: 'workerpool', file: 'workerpool', process: false },
  // JSON has no bytes: a Buffer would come back as an object of numbers.
  'fork-json': { label: 'bare fork, JSON', file: 'fork', variant: 'json', process: true, binary: false },
  'fork-advanced': { label: 'bare fork, advanced', file: 'fork', variant: 'advanced', process: true },
  threads: { label: 'bare worker_threads', file: 'threads', process: false },
};

/** The packages whose versions a report names. */
export const PACKAGES = ['worker-farm', 'jest-worker', 'piscina', 'tinypool', 'workerpool'];

/**
 * @param {string} name
 * @returns {Promise<(options: StartOptions) => Promise<Pool>>}
 */
export async function loadRival(name) {
  const { file, variant } = RIVALS[name];
  const { start } = await import(`./${file}.mjs`);
  return (options) => start({ ...options, variant });
}
