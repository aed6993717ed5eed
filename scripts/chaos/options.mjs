// The options of a farm, by dice.

const MiB = 1 << 20

/** @param {import('./dice.mjs').Dice} dice */
export function options(dice) {
  const fork = dice.maybe(0.2)
  /** @type {Record<string, any>} */
  const chosen = {
    max: dice.whole(1, 4),
    min: dice.maybe(0.3) ? 1 : 0,
    idleTimeout: dice.one([1, 30, 30_000]),
    grace: dice.one([0, 20, 200]),
    stdout: 'ignore',
    stderr: dice.one(['ignore', 'pipe'])
  }
  if (!fork) Object.assign(chosen, { tasksPerWorker: dice.one([1, 1, 4, 16]), views: dice.maybe(0.8), spin: dice.one([0, 20]) })
  if (dice.maybe(0.3)) chosen.timeout = dice.whole(200, 3000)
  if (dice.maybe(0.3)) Object.assign(chosen, { retries: dice.whole(1, 3), retryOn: dice.one([['exit'], ['exit', 'timeout'], ['exit', 'timeout', 'error']]) })
  if (dice.maybe(0.2)) Object.assign(chosen, { maxQueue: dice.whole(1, 100), overflow: dice.one(['reject', 'wait']) })
  if (dice.maybe(0.2)) chosen.queueTimeout = dice.whole(500, 5000)
  Object.assign(chosen, replacement(dice.of('replacement')), limits(dice.of('limits'), fork))
  return { fork, chosen }
}

/** What ends workers and brings new ones. */
function replacement(dice) {
  /** @type {Record<string, any>} */
  const chosen = { spares: dice.maybe(0.3) ? dice.whole(1, 2) : 0, startAttempts: dice.one([1, 2, 5]), killTree: dice.maybe(0.8) }
  if (dice.maybe(0.3)) chosen.recycle = dice.one([{ tasks: dice.whole(1, 300) }, { age: dice.whole(50, 800) }, { memory: 80 * MiB }, { tasks: 50, age: 300, memory: 80 * MiB }])
  if (dice.maybe(0.4)) chosen.stoppedTimeout = dice.whole(100, 1000)
  return chosen
}

/** What a worker may use. */
function limits(dice, fork) {
  /** @type {Record<string, any>} */
  const limits = {}
  if (dice.maybe(0.3)) limits.memory = dice.one([128, 192]) * MiB
  if (dice.maybe(0.15)) limits.cpu = dice.one([0.3, 0.8])
  if (dice.maybe(0.15)) limits.cpuTime = dice.whole(400, 2000)
  if (dice.maybe(0.1)) limits.nice = 5
  /** @type {Record<string, any>} */
  const chosen = Object.keys(limits).length > 0 ? { limits } : {}
  if (!fork && dice.maybe(0.2)) chosen.stallTimeout = dice.whole(500, 2000)
  return chosen
}
