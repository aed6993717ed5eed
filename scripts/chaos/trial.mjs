// The process that chaos.mjs starts: opens the farms, keeps the ledger, says at its end what was wrong.
import { setTimeout as pause } from 'node:timers/promises'
import { descriptorNames, holdings, largestMappings, marked, warmUp, zombies } from './census.mjs'
import { Dice } from './dice.mjs'
import { Ledger } from './ledger.mjs'
import { Life } from './lives.mjs'
import { median } from '../soak/flatness.mjs'

const ROUND_MS = 5000
/** When no call has settled for so long after the farms should have ended, those that are open are stuck. */
const PATIENCE_MS = 60_000
/** And however slowly it goes on, in any case. */
const MOST_PATIENCE_MS = 10 * PATIENCE_MS
const MiB = 1 << 20
const SLACK = 64 * MiB
const ROUNDS_FOR_MEMORY = 12

const { seed, ms, first, mark } = JSON.parse(process.argv[2])

const ledger = new Ledger()
const started = Date.now()
/** @type {Set<Life>} */
const lives = new Set()
let calls = 0
let current = first
await warmUp()

/** Lives of farms one after the other until the round is over. */
async function slot(dice, label, until) {
  for (let count = 1; Date.now() < until; count++) {
    const own = dice.of(count)
    const life = new Life(`${label}, life ${count}`, own, ledger)
    lives.add(life)
    await life.run(() => calls++, own.maybe(0.3) ? own.whole(2000, 6000) : own.whole(100, 2000))
    lives.delete(life)
  }
}

/** The parent's event loop stands still now and then. */
async function blocks(dice, until) {
  while (Date.now() < until) {
    await pause(dice.whole(100, 900))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, dice.whole(5, dice.maybe(0.1) ? 600 : 100))
  }
}

async function round(number) {
  const dice = new Dice(seed).of(`round ${number}`)
  const until = Date.now() + ROUND_MS
  const width = dice.whole(2, 4)
  const slots = Array.from({ length: width }, (_, index) => slot(dice.of(`farm ${index + 1}`), `round ${number}, farm ${index + 1}`, until))
  const all = Promise.all([...slots, blocks(dice.of('blocks'), until)])
  let [settled, since] = [-1, 0]
  while ((await Promise.race([all, pause(1000, 'not yet')])) === 'not yet') {
    const [now, late] = [Date.now(), Date.now() - until]
    if (ledger.settled !== settled) [settled, since] = [ledger.settled, now]
    if (late > MOST_PATIENCE_MS || (late > 0 && now - since > PATIENCE_MS)) stuck()
  }
}

/** Says what is stuck and ends this process. */
function stuck() {
  for (const life of lives) ledger.problem(`not ended: ${life.describe()}`)
  for (const call of [...ledger.open.values()].slice(0, 20)) ledger.problem(`${call} is not settled`)
  finish()
}

/** The guard is killed with the last farm and reaped a moment later. */
async function lastingZombies() {
  let seen = zombies()
  for (let look = 0; seen.length > 0 && look < 100; look++) {
    await pause(10)
    const now = zombies()
    seen = seen.filter((each) => now.includes(each))
  }
  return seen
}

function finish() {
  const left = marked(mark)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  console.log(`chaos: ${current - first} rounds, ${ledger.summary()}`)
  if (ledger.problems === 0) process.exit(0)
  console.error(`chaos: ${ledger.problems} problems, in round ${current}`)
  process.exit(1)
}

/** @param {import('./census.mjs').Holdings} before @param {import('./census.mjs').Holdings} after */
function compare(before, after) {
  for (const what of /** @type {const} */ (['descriptors', 'threads', 'segments'])) {
    if (after[what] > before[what]) ledger.problem(`${what} after round ${current}: ${after[what]}, after the second ${before[what]}; ${descriptorNames().join(', ')}`)
  }
}

process.on('uncaughtException', (error) => {
  ledger.problem(`uncaught: ${error.stack}`)
  finish()
})

/** @type {import('./census.mjs').Holdings[]} */
const held = []
for (; Date.now() - started < ms || held.length < 3; current++) {
  await round(current)
  const left = marked(mark)
  if (left.length > 0) ledger.problem(`processes left after round ${current}: ${left.join(', ')}`)
  const unreaped = await lastingZombies()
  if (unreaped.length > 0) ledger.problem(`zombies after round ${current}: ${unreaped.join(', ')}`)
  const now = await holdings()
  // What the first two open for good, such as the supervisor and its threads, is no leak.
  if (held.length > 1) compare(held[1], now)
  held.push(now)
  console.log(`round ${current}: ${ledger.made} calls so far, ${now.descriptors} descriptors, ${now.threads} threads, ${Math.round(now.bytes / MiB)} MiB`)
  if (ledger.problems > 0) break
}
// A short run says nothing about memory: the heap of a process that has done much is larger than that of one that has not.
if (held.length >= ROUNDS_FOR_MEMORY) {
  const [before, after] = [held.slice(1, 5), held.slice(-4)].map((part) => median(part.map(({ bytes }) => bytes)))
  const growth = after - before
  if (growth > SLACK) ledger.problem(`private memory has grown by ${Math.round(growth / MiB)} MiB:\n${largestMappings().join('\n')}`)
}
finish()
