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
const MiB = 1 << 20
const options = { stdout: 'ignore', stderr: 'ignore' }
/** Errors that the trouble brings. */
const EXPECTED = new Set(['ERR_FARM_WORKER_EXIT', 'ERR_FARM_TASK_TIMEOUT', 'ERR_FARM_START', 'ERR_FARM_LIMIT'])

let calls = 0
let exits = 0
let completed = 0
const lasting = new WorkerFarm(worker, { ...options, max: 2, idleTimeout: 50, spares: 1, recycle: { tasks: 20_000, age: 60_000 }, limits: { memory: 256 * MiB } })
lasting.on('exit', () => exits++)

/** @param {Promise<any>} call */
async function settle(call) {
  await call.then(
    () => completed++,
    (error) => {
      if (!EXPECTED.has(error.code)) throw error
    }
  )
  calls++
}

async function caller() {
  while (Date.now() < until) {
    await settle(lasting.run('mix', [calls, { some: 'value', list: [1, 2, 3] }]))
    if (dice.maybe(0.001)) await settle(lasting.run('make', [calls, 1 << 20]))
    if (dice.maybe(0.001)) await settle(lasting.run('measure', [calls, Buffer.alloc(1 << 20)]))
  }
}

/** A crash, an exit, a timeout, too much memory, or a pause in which the workers end for want of work. */
async function trouble() {
  while (Date.now() < until) {
    await pause(dice.whole(200, 1200))
    await settle(dice.one([
      () => lasting.run('exits', [1]),
      () => lasting.run('dies', ['SIGKILL']),
      () => lasting.run('spins', [], { timeout: 20 }),
      () => lasting.run('hangs', [], { timeout: 20 }),
      () => lasting.run('fills')
    ])())
  }
}

/** Another size, or fresh workers. */
async function changes() {
  while (Date.now() < until) {
    await pause(dice.of(`change ${calls}`).whole(1000, 4000))
    lasting.resize({ max: dice.whole(2, 5) })
    if (dice.maybe(0.3)) await lasting.reload().catch((error) => EXPECTED.has(error.code) || Promise.reject(error))
  }
}

/** Farms that come and go. */
async function comings() {
  while (Date.now() < until) {
    const brief = new WorkerFarm(worker, { ...options, max: 1 })
    await brief.run('mix', [0, Buffer.alloc(100_000)])
    await (dice.maybe(0.5) ? brief.close() : brief.destroy())
    await pause(200)
  }
}

const NAMES = ['seconds', 'calls', 'callsPerSecond', 'mib', 'heap', 'descriptors', 'threads', 'segments', 'exits', 'rescued']

async function samples() {
  console.log(NAMES.join(','))
  const started = Date.now()
  let before = { at: started, calls: 0 }
  while (Date.now() < until) {
    await pause(every)
    const { bytes, descriptors, threads, segments } = await holdings()
    const heap = process.memoryUsage().heapUsed / MiB
    const at = Date.now()
    const rate = ((calls - before.calls) * 1000) / (at - before.at)
    before = { at, calls }
    const row = [(at - started) / 1000, calls, Math.round(rate), (bytes / MiB).toFixed(1), heap.toFixed(1), descriptors, threads, segments, exits, lasting.stats().rescuedWakeups]
    console.log(row.join(','))
  }
}

await warmUp()
await Promise.all([...Array.from({ length: 32 }, caller), trouble(), changes(), comings(), samples()])
await lasting.close()
// Each call is one task, settled once.
const { tasks } = lasting.stats()
if (tasks.settled !== calls || tasks.completed !== completed || tasks.open !== 0) {
  throw new Error(`${calls} calls, ${completed} of them with a result, but: ${JSON.stringify(tasks)}`)
}
