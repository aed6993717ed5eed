// The process that soak.mjs starts: calls without end, trouble now and then; a line of figures per sample on stdout.
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import farm from '../../index.js'
import { holdings, warmUp } from '../chaos/census.mjs'
import { Dice } from '../chaos/dice.mjs'

const { WorkerFarm } = farm
const worker = fileURLToPath(new URL('../chaos/worker.cjs', import.meta.url))
const { ms, every } = JSON.parse(process.argv[2])
const until = Date.now() + ms
const dice = new Dice('soak')
const options = { stdout: 'ignore', stderr: 'ignore' }
/** Errors that the trouble brings. */
const EXPECTED = new Set(['ERR_FARM_WORKER_EXIT', 'ERR_FARM_TASK_TIMEOUT', 'ERR_FARM_START'])

let calls = 0
let exits = 0
const lasting = new WorkerFarm(worker, { ...options, max: 2, idleTimeout: 50 })
lasting.on('exit', () => exits++)

/** @param {Promise<any>} call */
async function settle(call) {
  await call.catch((error) => {
    if (!EXPECTED.has(error.code)) throw error
  })
  calls++
}

async function caller() {
  while (Date.now() < until) {
    await settle(lasting.run('mix', [calls, { some: 'value', list: [1, 2, 3] }]))
    if (dice.maybe(0.001)) await settle(lasting.run('make', [calls, 1 << 20]))
    if (dice.maybe(0.001)) await settle(lasting.run('measure', [calls, Buffer.alloc(1 << 20)]))
  }
}

/** A crash, an exit, a timeout, or a pause in which the workers end for want of work. */
async function trouble() {
  while (Date.now() < until) {
    await pause(dice.whole(200, 1200))
    await settle(dice.one([
      () => lasting.run('exits', [1]),
      () => lasting.run('dies', ['SIGKILL']),
      () => lasting.run('spins', [], { timeout: 20 }),
      () => lasting.run('hangs', [], { timeout: 20 })
    ])())
  }
}

/** Farms that come and go. */
async function comings() {
  while (Date.now() < until) {
    const brief = new WorkerFarm(worker, { ...options, max: 1 })
    await settle(brief.run('mix', [0, Buffer.alloc(100_000)]))
    await (dice.maybe(0.5) ? brief.close() : brief.destroy())
    await pause(200)
  }
}

const NAMES = ['seconds', 'calls', 'callsPerSecond', 'mib', 'descriptors', 'threads', 'segments', 'exits', 'rescued']

async function samples() {
  console.log(NAMES.join(','))
  const started = Date.now()
  let before = { at: started, calls: 0 }
  while (Date.now() < until) {
    await pause(every)
    const { bytes, descriptors, threads, segments } = await holdings()
    const at = Date.now()
    const rate = ((calls - before.calls) * 1000) / (at - before.at)
    before = { at, calls }
    const row = [(at - started) / 1000, calls, Math.round(rate), (bytes / 2 ** 20).toFixed(1), descriptors, threads, segments, exits, lasting.stats().rescuedWakeups]
    console.log(row.join(','))
  }
}

await warmUp()
await Promise.all([...Array.from({ length: 32 }, caller), trouble(), comings(), samples()])
await lasting.close()
