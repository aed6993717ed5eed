// Soak: a farm under load for a long time, with crashes, kills, too much memory, idle ends, another size and
// fresh workers now and then, and farms that are closed and opened anew beside it.
// Samples what the process holds, and fails when that grows.
//
//   npm run soak -- --minutes 60 [--csv soak.csv] [--plot docs/soak.svg]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findings } from './soak/flatness.mjs'
import { plot } from './soak/plot.mjs'

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seconds: { type: 'string' }, csv: { type: 'string' }, plot: { type: 'string' } } })
const ms = values.seconds ? Number(values.seconds) * 1000 : Number(values.minutes ?? 60) * 60_000
if (!(ms > 0)) throw new Error('--minutes and --seconds take a number above 0')
// Each 10 s, and in a short run often enough to tell a slope.
const every = Math.min(10_000, ms / 20)

// A process of its own that gives freed memory back, so that a leak shows.
const load = spawn(process.execPath, [fileURLToPath(new URL('./soak/load.mjs', import.meta.url)), JSON.stringify({ ms, every })], {
  env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' },
  stdio: ['ignore', 'pipe', 'inherit']
})
let text = ''
load.stdout.setEncoding('utf8').on('data', (chunk) => {
  text += chunk
  process.stdout.write(chunk)
})
const [status, signal] = await once(load, 'close')

const [head, ...rows] = text.trim().split('\n')
const names = head.split(',')
const samples = rows.map((row) => Object.fromEntries(row.split(',').map((value, index) => [names[index], Number(value)])))
if (values.csv) writeFileSync(values.csv, text)
if (values.plot) writeFileSync(values.plot, plot(samples))

const wrong = status === 0 ? findings(samples) : [`the process of the farms ended with ${signal ?? status}`]
for (const line of wrong) console.error(`soak: ${line}`)
const { calls = 0 } = samples[samples.length - 1] ?? {}
console.log(`soak: ${samples.length} samples, ${calls} calls, ${wrong.length === 0 ? 'flat' : 'NOT FLAT'}`)
if (wrong.length > 0) process.exitCode = 1
