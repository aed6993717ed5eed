// Every call is entered here when it is made and when it is settled; what is wrong with it is a problem, which fails the run.
import { isDeepStrictEqual } from 'node:util'

/** Problems that are printed in full; more of them say nothing new. */
const SHOWN = 20

export class Ledger {
  made = 0
  /** Calls by how they ended: 'result', or the error's code or name. @type {Map<string, number>} */
  ends = new Map()
  /** @type {Map<number, string>} */
  open = new Map()
  /** What else happened. @type {Map<string, number>} */
  changes = new Map()
  rescued = 0
  problems = 0

  get settled() {
    return this.made - this.open.size
  }

  /** @param {string} text */
  problem(text) {
    this.problems++
    if (this.problems <= SHOWN) console.error(`PROBLEM: ${text}`)
  }

  /**
   * Runs one call to its end and judges it. Resolves with the code of its error, or ''.
   * @param {any} life the life of a farm; see lives.mjs
   * @param {string} kind
   * @param {number} n
   * @param {import('./calls.mjs').Call} call
   */
  async settle(life, kind, n, call) {
    const name = `call ${n} (${kind}) of ${life.name}`
    this.made++
    life.made++
    this.open.set(n, name)
    const promise = life.farm.run(call.method, call.args, call.options)
    call.begin?.()
    const outcome = await promise.then((value) => ({ value }), (error) => ({ error }))
    if (!this.open.delete(n)) this.problem(`${name} was settled twice`)
    const wrong = call.end?.()
    if (wrong) this.problem(`${name}: ${wrong}`)
    life.counts.add(call, outcome)
    if ('value' in outcome) this.#result(name, call, outcome.value)
    else this.#error(life, name, call, outcome.error)
    return outcome.error?.code ?? ''
  }

  #result(name, call, value) {
    this.#count('result')
    const right = call.right ? call.right(value) : 'want' in call && isDeepStrictEqual(value, call.want)
    if (!right) this.problem(`${name} has a wrong result: ${brief(value)} instead of ${brief(call.want)}`)
  }

  #error(life, name, call, error) {
    this.#count(error?.code ?? error?.name ?? 'thrown value')
    if (!(call.mayFail?.(error) ?? false) && !life.mayFail(error)) this.problem(`${name} failed by what it cannot have met: ${error?.stack ?? brief(error)}`)
    // Nobody in here writes over the queue.
    if (error?.killedFor === 'poison') this.problem(`${name}: ${error.message}`)
  }

  /** @param {Record<string, number>} counts */
  changed(counts) {
    for (const [name, count] of Object.entries(counts)) this.changes.set(name, (this.changes.get(name) ?? 0) + count)
  }

  #count(end) {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }

  /** One line about everything. */
  summary() {
    const listed = (counts) => [...counts].sort((a, b) => b[1] - a[1]).map(([what, count]) => `${count} ${what}`).join(', ')
    return `${this.made} calls: ${listed(this.ends)}; ${this.rescued} rescued wake-ups; ${listed(this.changes)}`
  }
}

function brief(value) {
  const text = typeof value === 'object' && value?.length > 100 ? `${value.length} elements` : String(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)))
  return text.slice(0, 200)
}
