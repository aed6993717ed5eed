// Orphans: parents are ended while their workers are in every state there is, and nothing of them may be left.
//
//   npm run orphans -- --parents 200 [--together 4] [--others 2]
//
// `--parents` are killed (SIGKILL), their states in turn; each other end comes `--others` times, with states in turn too.
import os from 'node:os'
import { parseArgs } from 'node:util'
import { ends, hasTerminals, noGroups, orphan, states } from './orphans/trial.mjs'

const { values } = parseArgs({
  options: {
    parents: { type: 'string', default: '200' },
    together: { type: 'string', default: String(os.availableParallelism() + 1) },
    others: { type: 'string', default: '3' }
  }
})
const [parents, together, others] = ['parents', 'together', 'others'].map((name) => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= (name === 'together' ? 1 : 0)) return value
  throw new Error(`--${name} takes an integer, not ${values[name]}`)
})

if (noGroups !== '') console.log(`skipped: no worker starts sessions of their own, since no cgroup can be delegated: ${noGroups}`)
const plan = Array.from({ length: parents }, (_, n) => [states[n % states.length], 'SIGKILL'])
for (const end of ends.slice(1)) {
  if (end === 'hang-up' && !hasTerminals) {
    console.log('skipped: no terminal is hung up, since there is no program `script` (util-linux) to make one')
    continue
  }
  for (let n = 0; n < others; n++) plan.push([states[(plan.length * 3) % states.length], end])
}

/** @type {Map<string, { parents: number, processes: number, survivors: string[], slowest: number, late: number }>} */
const rows = new Map()
const row = (name) => {
  if (!rows.has(name)) rows.set(name, { parents: 0, processes: 0, survivors: [], slowest: 0, late: 0 })
  return /** @type {any} */ (rows.get(name))
}

let next = 0
async function work() {
  while (next < plan.length) {
    const place = next / plan.length
    const [state, end] = plan[next++]
    // Each place in the start of a worker is met once, whatever the number of parents.
    const found = await orphan(state, end, (place * 7) % 1).catch((error) => ({ survivors: [error.message], ms: 0, processes: 0 }))
    const counts = row(end === 'SIGKILL' ? state : `by ${end}`)
    counts.parents++
    counts.processes += Math.max(0, found.processes - 1)
    counts.survivors.push(...found.survivors)
    counts.slowest = Math.max(counts.slowest, found.ms)
    if (found.ms > 1000) counts.late++
    for (const one of found.survivors) console.error(`PROBLEM: ${state}, ${end}: ${one}`)
  }
}
await Promise.all(Array.from({ length: together }, work))

console.log(`${'state, or end'.padEnd(16)} parents processes survivors  slowest`)
for (const [name, { parents: count, processes, survivors, slowest }] of rows) {
  console.log(`${name.padEnd(16)} ${String(count).padStart(7)} ${String(processes).padStart(9)} ${String(survivors.length).padStart(9)} ${slowest.toFixed(0).padStart(5)} ms`)
}
const sum = (/** @type {(row: any) => number} */ of) => [...rows.values()].reduce((total, each) => total + of(each), 0)
const left = sum((each) => each.survivors.length)
console.log(`orphans: ${sum((each) => each.parents)} parents ended, ${left} processes survived; gone later than a second: ${sum((each) => each.late)}`)
if (left > 0) process.exitCode = 1
