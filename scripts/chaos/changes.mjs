// What an owner changes in a farm that is in use: its size, its workers' code, and code that does not load for a while.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** As broken workers say it. */
const BROKEN = 'broken for a while'

/** Workers at a time. */
export const MOST = 14

const folder = mkdtempSync(path.join(tmpdir(), 'farm-chaos-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0

export class Changes {
  /** While it exists, the worker module throws. */
  file = path.join(folder, String(++files))
  wasBroken = false
  reloads = { done: 0, failed: 0 }
  resizes = 0
  /** @type {Promise<void>[]} */
  #underWay = []

  /** @param {any} life see lives.mjs */
  constructor(life) {
    this.life = life
  }

  /** Until the farm is ended. @param {import('./dice.mjs').Dice} dice */
  async run(dice) {
    const every = dice.one([100, 300, 1000])
    const breaks = dice.maybe(0.25)
    const kinds = [
      { weight: 4, make: () => this.#resize(dice) },
      { weight: 1, make: () => this.#farUp(dice) },
      { weight: 3, make: () => this.#reload() },
      // Not in every life: where nothing starts, little else happens.
      { weight: breaks ? 2 : 0, make: () => this.#brokenFor(dice.whole(50, 800), dice.maybe(0.5)) }
    ]
    while (this.life.ending === '') {
      await pause(dice.whole(1, every * 2))
      if (this.life.ending === '') await dice.weighted(kinds).make()
    }
    await Promise.all(this.#underWay)
    rmSync(this.file, { force: true })
  }

  /** Whether code that did not load is why no worker could be started. @param {any} error */
  explains(error) {
    return this.wasBroken && (String(error.cause?.message).includes(BROKEN) || error.message.includes(BROKEN) || error.exitCode === 1)
  }

  #resize(dice) {
    const max = dice.whole(1, 6)
    this.resizes++
    this.life.farm.resize(dice.maybe(0.3) ? { max, min: dice.whole(0, Math.min(max, 2)) } : { max, min: 0 })
  }

  /** Beyond twice the size it was made with, and back. */
  async #farUp(dice) {
    this.resizes += 2
    this.life.farm.resize({ max: MOST, min: dice.one([0, 10]) })
    await pause(dice.whole(20, 600))
    if (this.life.ending === '') this.life.farm.resize({ max: dice.whole(1, 3), min: 0 })
  }

  #reload() {
    const { farm, ledger, name } = this.life
    const old = farm.stats().workers.map(({ pid }) => pid)
    const done = () => {
      this.reloads.done++
      const left = farm.stats().workers.filter(({ pid }) => old.includes(pid))
      if (left.length > 0) ledger.problem(`${name}: a reload is over, but these were there before it: ${JSON.stringify(left)}`)
    }
    const failed = (error) => {
      this.reloads.failed++
      if (error.code === 'ERR_FARM_CLOSED' ? this.life.ending === '' : !this.life.mayFail(error)) ledger.problem(`${name}: reload() failed by ${error.stack}`)
    }
    this.#underWay.push(farm.reload().then(done, failed))
  }

  async #brokenFor(ms, reload) {
    this.wasBroken = true
    writeFileSync(this.file, '')
    if (reload) this.#reload()
    await pause(ms)
    rmSync(this.file)
  }
}
