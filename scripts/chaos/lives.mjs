// The lives of farms: opened with some options, used by several callers at once, troubled, ended in some way, opened anew.
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import farm from '../../index.js'
import { forkKinds, kinds } from './calls.mjs'

const { WorkerFarm } = farm
const worker = fileURLToPath(new URL('./worker.cjs', import.meta.url))
const script = fileURLToPath(new URL('./fork-script.cjs', import.meta.url))

/** Bytes of huge values that all farms together may have under way. */
const HUGE = 160 << 20
/** Trouble goes on for so long after an end has begun; without it the end is reached some time. */
const TROUBLED_END_MS = 1000
let huge = 0

/** @param {import('./dice.mjs').Dice} dice */
function options(dice) {
  const fork = dice.maybe(0.2)
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
  return { fork, chosen }
}

export class Life {
  made = 0
  /** Workers that were killed before they took tasks. */
  killedEarly = 0
  ending = ''
  #calling = true
  #troubledUntil = Infinity

  /**
   * @param {string} name
   * @param {import('./dice.mjs').Dice} dice
   * @param {import('./ledger.mjs').Ledger} ledger
   */
  constructor(name, dice, ledger) {
    this.name = name
    this.dice = dice
    this.ledger = ledger
    const { fork, chosen } = options(dice.of('options'))
    this.options = chosen
    this.fork = fork
    this.farm = new WorkerFarm(fork ? { fork: script } : worker, chosen)
    this.farm.on('stdout', () => {}).on('stderr', () => {})
    this.farm.on('exit', ({ killedFor }) => {
      if (killedFor === 'poison') ledger.problem(`${name}: a worker was killed for writing over the queue`)
    })
  }

  /** What can hit any call here. @param {any} error */
  mayFail(error) {
    switch (error?.code) {
      case 'ERR_FARM_WORKER_EXIT':
        return true
      case 'ERR_FARM_CLOSED':
        // Calls that wait for room are refused by any end.
        return this.ending !== '' && (this.ending !== 'close' || this.options.overflow === 'wait')
      case 'ERR_FARM_TASK_TIMEOUT':
        return this.options.timeout !== undefined
      case 'ERR_FARM_QUEUE_FULL':
        return this.options.overflow === 'reject'
      case 'ERR_FARM_QUEUE_TIMEOUT':
        return this.options.queueTimeout !== undefined
      case 'ERR_FARM_START':
        return this.killedEarly > 0
      default:
        return false
    }
  }

  /**
   * One life, from the first call to the last.
   * @param {() => number} number of the next call
   * @param {number} ms
   */
  async run(number, ms) {
    const callers = Array.from({ length: this.dice.of('width').whole(1, 40) }, (_, index) => this.#caller(this.dice.of(`caller ${index}`), number))
    const trouble = this.#trouble(this.dice.of('trouble'))
    await pause(ms)
    await this.#end(this.dice.of('end'))
    this.#calling = false
    await Promise.all([...callers, trouble])
    this.#check()
  }

  async #caller(dice, number) {
    const list = this.fork ? forkKinds : kinds
    while (this.#calling && this.ending === '') {
      const burst = dice.maybe(0.02) ? dice.whole(50, 400) : 1
      const calls = Array.from({ length: burst }, () => this.#one(dice, burst > 1 ? list[0] : dice.weighted(list), number()))
      await Promise.all(calls)
      if (dice.maybe(0.1)) await pause(dice.whole(0, 10))
    }
  }

  async #one(dice, kind, n) {
    const call = kind.make(dice, n)
    if (dice.maybe(0.1)) call.options = { ...call.options, priority: dice.whole(-3, 3) }
    const bytes = call.bytes ?? 0
    if (huge + bytes > HUGE) return
    huge += bytes
    await this.ledger.settle(this, kind.name, n, call)
    huge -= bytes
  }

  /** Kills, stops and continues workers from outside. */
  async #trouble(dice) {
    const every = dice.one([20, 100, 400])
    while (this.#calling && Date.now() < this.#troubledUntil) {
      await pause(dice.whole(1, every * 2))
      const early = dice.maybe(0.03)
      const targets = this.farm.stats().workers.filter(({ state }) => early || state === 'online')
      if (targets.length === 0) continue
      const { pid, state } = dice.one(targets)
      if (dice.maybe(0.4)) await this.#stop(pid, dice.maybe(0.1) ? 1500 : dice.whole(1, 300))
      else {
        if (state !== 'online') this.killedEarly++
        signal(pid, dice.one(['SIGKILL', 'SIGTERM', 'SIGSEGV']))
      }
    }
  }

  async #stop(pid, ms) {
    signal(pid, 'SIGSTOP')
    await pause(ms)
    signal(pid, 'SIGCONT')
  }

  async #end(dice) {
    this.#troubledUntil = Date.now() + TROUBLED_END_MS
    this.ending = dice.one(['close', 'close', 'close soon', 'destroy', 'close, then destroy'])
    if (this.ending === 'destroy') return this.farm.destroy()
    const closed = this.farm.close(this.ending === 'close soon' ? { timeout: dice.whole(0, 50) } : { timeout: Infinity })
    if (this.ending !== 'close, then destroy') return closed
    await pause(dice.whole(0, 20))
    await Promise.all([closed, this.farm.destroy()])
  }

  #check() {
    const { state, workers, tasks, rescuedWakeups } = this.farm.stats()
    this.ledger.rescued += rescuedWakeups
    if (state !== 'closed' || workers.length > 0 || tasks.open > 0) {
      this.ledger.problem(`${this.name} after its end (${this.ending}): ${JSON.stringify({ state, workers, tasks })}`)
    }
  }

  describe() {
    return `${this.name} (${this.fork ? 'fork' : 'module'} ${JSON.stringify(this.options)}, ${this.ending || 'in use'}): ${JSON.stringify(this.farm.stats())}`
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
