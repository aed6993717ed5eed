// Kills `farm map` with SIGKILL at random moments and resumes it until it is done; what it has then written must be what
// an undisturbed run writes.
//
//   node scripts/map-crash.mjs [--times 50] [--seed N]
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const farm = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'bin', 'farm.js')
const { values } = parseArgs({ options: { times: { type: 'string', default: '50' }, seed: { type: 'string', default: String(Date.now() % 1e9) } } })
const times = Number(values.times)
const random = generator(Number(values.seed))
const FILES = 300
const LINES = 4000
const MOST_KILLS = 5

const worker = `
const fs = require('node:fs')
const busy = (ms) => { for (const end = performance.now() + ms; performance.now() < end;); }
exports.file = (name) => { busy(1); return fs.readFileSync(name, 'utf8').toUpperCase().repeat(50) }
exports.line = (line) => { busy(0.1); return 'result of ' + line + '\\n' }
`

console.log(`seed ${values.seed}`)
const temp = mkdtempSync(path.join(os.tmpdir(), 'farm-map-crash-'))
let kills = 0
let repeated = 0
try {
  mkdirSync(path.join(temp, 'in'))
  writeFileSync(path.join(temp, 'worker.js'), worker)
  for (let i = 0; i < FILES; i++) writeFileSync(path.join(temp, 'in', `${i}.txt`), `content of ${i}\n`)
  writeFileSync(path.join(temp, 'lines'), Array.from({ length: LINES }, (_, i) => `line ${i}`).join('\n'))
  for (let time = 1; time <= times; time++) {
    await filesOnce()
    await linesOnce()
    if (time % 10 === 0 || time === times) console.log(`${time} of ${times}: ${kills} kills, outputs equal, ${repeated} lines twice on standard output`)
  }
} catch (error) {
  console.error(`${error.message}\nagain: node scripts/map-crash.mjs --times ${times} --seed ${values.seed}`)
  process.exitCode = 1
} finally {
  rmSync(temp, { recursive: true, force: true })
}

async function filesOnce() {
  const out = path.join(temp, 'out')
  const journal = path.join(temp, 'files.journal')
  await untilDone(['--method', 'file', 'in/*.txt', '--out', 'out', '--ext', '.up', '--resume', journal], 'ignore')
  const found = readdirSync(out).sort()
  const wanted = Array.from({ length: FILES }, (_, i) => `${i}.up`).sort()
  if (found.join() !== wanted.join()) throw new Error(`the files differ: ${found.filter((name) => !wanted.includes(name)).join(' ')} | missing ${wanted.filter((name) => !found.includes(name)).join(' ')}`)
  for (let i = 0; i < FILES; i++) {
    if (readFileSync(path.join(out, `${i}.up`), 'utf8') !== `CONTENT OF ${i}\n`.repeat(50)) throw new Error(`${i}.up differs`)
  }
  rmSync(out, { recursive: true })
  rmSync(journal)
}

async function linesOnce() {
  const out = path.join(temp, 'results')
  const journal = path.join(temp, 'lines.journal')
  writeFileSync(out, '')
  await untilDone(['--method', 'line', '--lines', '--resume', journal, 'lines'], out)
  const found = readFileSync(out, 'utf8').trimEnd().split('\n')
  const wanted = new Set(Array.from({ length: LINES }, (_, i) => `result of line ${i}`))
  // A block that was being written when the kill came ends anywhere; its lines come again, in the next block.
  const whole = new Set(found.flatMap((line) => line.split(/(?=result of)/)))
  const missing = [...wanted].filter((line) => !whole.has(line))
  if (missing.length > 0) throw new Error(`${missing.length} results are missing, such as "${missing[0]}"`)
  repeated += found.length - wanted.size
  rmSync(journal)
}

/** @param {string[]} args @param {string} out */
async function untilDone(args, out) {
  for (let tries = 0; ; tries++) {
    const { code, signal, said } = await once(args, out, tries < MOST_KILLS ? 80 + random() * 500 : Infinity)
    if (signal === 'SIGKILL') kills++
    else if (code === 0) return
    else throw new Error(`farm map ended with ${code ?? signal}:\n${said}`)
  }
}

function once(args, out, killAfter) {
  const stdout = out === 'ignore' ? 'ignore' : openSync(out, 'a')
  const child = spawn(process.execPath, [farm, 'map', './worker.js', '--quiet', ...args], { cwd: temp, stdio: ['ignore', stdout, 'pipe'] })
  if (stdout !== 'ignore') closeSync(stdout)
  const timer = killAfter === Infinity ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  let said = ''
  child.stderr.on('data', (bytes) => (said += bytes))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, said })
    })
  })
}

/** @param {number} seed */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
