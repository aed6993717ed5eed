// The lives of farms: opened with some options, used by several callers at once, troubled, ended in some way, opened anew.
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import farm from '../../index.js'
import { forkKinds, kinds, limitKinds } from './calls.mjs'
import { Changes, MOST } from './changes.mjs'
import { Counts } from './counts.mjs'
import { options } from './options.mjs'

const { WorkerFarm } = farm
const worker = fileURLToPath(new URL('./worker.cjs', import.meta.url))
const script = fileURLToPath(new URL('./fork-script.cjs', import.meta.url))

/** Bytes of huge values that all farms together may have under way. */
const HUGE = 160 << 20
/** Trouble goes on for so long after an end has begun; without it the end is reached some time. */
const TROUBLED_END_MS = 1000
let huge = 0
const TURNED_AWAY = new Set(['ERR_FARM_QUEUE_FULL', 'ERR_FARM_START'])

export class Life {
  made = 0
  counts = new Counts()
  /** Workers that were killed or stopped before they took tasks. */
  killedEarly = 0
  /** Processes that there are. */
  #processes = 0
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
    // Much to do at once, where it can be done.
    this.dense = !fork && !chosen.recycle?.tasks && !chosen.limits?.cpu && dice.of('dense').maybe(0.3)
    this.changes = new Changes(this)
    this.farm = new WorkerFarm(fork ? { fork: script } : worker, { ...chosen, env: { ...process.env, FARM_CHAOS_BROKEN: this.changes.file } })
    this.farm.on('stdout', () => {}).on('stderr', () => {})
    this.farm.on('spawn', () => this.#processes++)
    this.farm.on('exit', ({ killedFor }) => {
      this.#processes--
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
        return this.killedEarly > 0 || this.changes.explains(error)
      case 'ERR_FARM_LIMIT':
        return this.options.limits?.[error.limit] === error.allowed && error.seen > error.allowed
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
    const trouble = [this.#trouble(this.dice.of('trouble')), this.changes.run(this.dice.of('changes'))]
    await pause(ms)
    await this.#end(this.dice.of('end'))
    this.#calling = false
    await Promise.all([...callers, ...trouble])
    this.#check()
  }

  async #caller(dice, number) {
    const list = this.fork ? forkKinds : this.options.limits?.memory ? [...kinds, ...limitKinds] : kinds
    while (this.#calling && this.ending === '') {
      // Enough to fill a queue that can be full.
      const most = this.options.overflow === 'reject' ? 120 : this.dense ? 1000 : 400
      const burst = dice.maybe(this.dense ? 0.5 : 0.005) ? dice.whole(50, most) : 1
      const calls = Array.from({ length: burst }, () => this.#one(dice, burst > 1 ? list[0] : dice.weighted(list), number()))
      const ends = await Promise.all(calls)
      // Who is turned away at once waits, else there would be little else.
      if (ends.some((end) => TURNED_AWAY.has(end))) await pause(dice.whole(1, 40))
      else if (dice.maybe(0.1)) await pause(dice.whole(0, 10))
    }
  }

  async #one(dice, kind, n) {
    const call = kind.make(dice, n)
    if (dice.maybe(0.1)) call.options = { ...call.options, priority: dice.whole(-3, 3) }
    const bytes = call.bytes ?? 0
    if (huge + bytes > HUGE) return ''
    huge += bytes
    const end = await this.ledger.settle(this, kind.name, n, call)
    huge -= bytes
    return end
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
      if (state !== 'online') this.killedEarly++
      if (dice.maybe(0.4)) await this.#stop(pid, dice.maybe(0.1) ? 1500 : dice.whole(1, 300))
      else signal(pid, dice.one(['SIGKILL', 'SIGTERM', 'SIGSEGV']))
    }
  }

  async #stop(pid, ms) {
    signal(pid, 'SIGSTOP')
    await pause(ms)
    signal(pid, 'SIGCONT')
  }

  async #end(dice) {
    this.#troubledUntil = Date.now() + TROUBLED_END_MS
    this.ending = dice.one(['close', 'close', 'close', 'close soon', 'destroy', 'close, then destroy'])
    if (this.ending === 'destroy') return this.farm.destroy()
    const closed = this.farm.close(this.ending === 'close soon' ? { timeout: dice.whole(0, 50) } : { timeout: Infinity })
    if (this.ending !== 'close, then destroy') return closed
    await pause(dice.whole(0, 20))
    await Promise.all([closed, this.farm.destroy()])
  }

  #check() {
    const { state, workers, tasks, exits, rescuedWakeups } = this.farm.stats()
    this.ledger.rescued += rescuedWakeups
    const { reloads, resizes } = this.changes
    this.ledger.changed({ reloads: reloads.done, 'failed reloads': reloads.failed, resizes })
    for (const [cause, count] of Object.entries(exits)) this.ledger.changed({ [`workers ended by ${cause}`]: count })
    const wrong = this.counts.against(tasks, this.options)
    if (state !== 'closed' || workers.length > 0 || tasks.open + tasks.held > 0) wrong.push('something is left')
    // No more than there can be at a time: one that is told to leave with the farm has no successor.
    if ((exits.close ?? 0) > 2 * MOST) wrong.push(`${exits.close} workers have left with the farm`)
    if (this.#processes !== 0) wrong.push(`${this.#processes} processes have begun and not ended`)
    if (wrong.length > 0) this.ledger.problem(`${this.describe()}: ${wrong.join('; ')}`)
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
