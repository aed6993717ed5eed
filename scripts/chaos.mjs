// Chaos: several farms at once, calls of every kind, and everything that can go wrong with them, thrown by seeded dice. At the
// end every call has settled as it must, and nothing is left.
//
//   npm run chaos -- --minutes 10 [--seed 42] [--round 3]
//
// The seed is printed; with it the dice fall the same again, as far as processes that run at the same time can be repeated.
// `--round` starts with that round.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { marked } from './chaos/census.mjs'

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' }, round: { type: 'string', default: '1' } }
})
const ms = values.seconds ? Number(values.seconds) * 1000 : Number(values.minutes ?? 1) * 60_000
const first = Number(values.round)
if (!(ms > 0) || !(first > 0)) throw new Error('--minutes, --seconds and --round take a number above 0')
const seed = values.seed ?? String(Math.floor(Math.random() * 1e9))
console.log(`chaos: seed ${seed}`)

// A process of its own, so that its death is a finding too, and one that gives freed memory back, so that a leak shows.
const identity = `${process.pid}.${Date.now()}`
const mark = `FARM_TRIAL=${identity}`
const trial = spawn(process.execPath, [fileURLToPath(new URL('./chaos/trial.mjs', import.meta.url)), JSON.stringify({ seed, ms, first, mark })], {
  env: { ...process.env, FARM_TRIAL: identity, MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' },
  stdio: ['ignore', 'inherit', 'inherit']
})
const [status, signal] = await once(trial, 'exit')
if (signal !== null) console.error(`PROBLEM: the process of the farms was ended by ${signal}`)

let left = marked(mark)
for (let look = 0; left.length > 0 && look < 100; look++) {
  await new Promise((resolve) => setTimeout(resolve, 10))
  left = marked(mark)
}
for (const pid of left) process.kill(pid, 'SIGKILL')
if (left.length > 0) console.error(`PROBLEM: processes that outlived their parent: ${left.join(', ')}`)

if (status !== 0 || left.length > 0) {
  console.error(`chaos: again by: npm run chaos -- --seed ${seed} --seconds ${Math.ceil(ms / 1000)}`)
  process.exitCode = 1
}
