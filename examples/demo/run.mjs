// The demo: minifies JavaScript sources of the installed packages with terser, on all cores through `farm map`; then looks
// whether each output parses, runs some of them, and does the same work in one process for comparison.
//   npm run demo

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { sample, sourcesBelow } from './sources.mjs'
import { differing, tried } from './trial.mjs'

/** About how long the work shall take in one process, ms; with one core the farm needs as long again. */
const ALONE = Number(process.env.FARM_DEMO_MS ?? 20_000)

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '..', '..')
const farm = path.join(root, 'bin', 'farm.js')
const worker = path.join(here, 'worker.js')
const packages = path.join(root, 'node_modules')
const inline = createRequire(import.meta.url)(worker)

const all = sourcesBelow(packages)
if (all.length === 0) throw new Error(`no JavaScript files below ${packages}: run npm install first`)
const isTried = ({ file }) => tried.some((name) => file.startsWith(path.join(packages, name, path.sep)))
const files = sample(all, (await measuredSpeed(sample(all, 400_000))) * ALONE, isTried)
const bytes = files.reduce((sum, source) => sum + source.bytes, 0)
console.log(`${files.length} of ${all.length} JavaScript sources in node_modules, ${mb(bytes)}, through terser\n`)

const temp = mkdtempSync(path.join(os.tmpdir(), 'farm-demo-'))
/** @type {string | undefined} the signal that ends it */
let ended
/** @type {import('node:child_process').ChildProcess | undefined} */
let running
// A terminal's Ctrl-C goes to what runs, too; it ends by itself, and then the folder goes.
process.on('SIGINT', () => (ended ??= 'SIGINT'))
process.on('SIGTERM', () => {
  ended ??= 'SIGTERM'
  running?.kill()
})
try {
  await run()
} catch (error) {
  if (ended === undefined) throw error
} finally {
  rmSync(temp, { recursive: true, force: true })
}
if (ended !== undefined) process.exit(128 + os.constants.signals[ended])

async function run() {
  const out = path.join(temp, 'out')
  const names = files.map(({ file }) => `${file}\0`).join('')
  const farmed = await farmMap(['--method', 'minify', '-0', '--out', out], names)
  if (farmed.code !== 0) throw new Error(`farm map ended with ${farmed.code}`)

  const parsed = await farmMap(['--method', 'parse', '--quiet', path.join(out, '**/*.js')], '', { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' })
  console.log(`\neach of the outputs parses: ${parsed.code === 0 ? 'yes' : 'NO'}`)
  const differ = differing(packages, out)
  console.log(`${tried.join(', ')} give the same results as before: ${differ.length === 0 ? 'yes' : `NO: ${differ.join(', ')}`}`)

  console.log('\nThe same files in one process, to compare …')
  const alone = await timed([path.join(here, 'alone.js'), path.join(temp, 'alone')], names)
  if (alone.code !== 0) throw new Error(`the one process ended with ${alone.code}`)
  // V8 compiles and collects garbage in threads of its own, which one process has the other cores for.
  const used = Number(readFileSync(path.join(temp, 'alone', 'cpu'), 'utf8'))
  console.log(`farm map: ${seconds(farmed.ms)}; one process: ${seconds(alone.ms)}, in which V8 had ${(used / alone.ms).toFixed(2)} cores at work; their start included, that is ${(alone.ms / farmed.ms).toFixed(2)} times as fast${os.availableParallelism() === 1 ? ' (there is only one CPU to use here)' : ''}`)
  console.log(`\nThe same for your own files:\n\n  ${command()}\n`)
  if (parsed.code !== 0 || differ.length > 0) process.exitCode = 1
}

/** @param {string[]} args @param {string} input @param {Record<string, string>} [env] */
function farmMap(args, input, env) {
  return timed([farm, 'map', worker, ...args], input, env)
}

/**
 * Runs a Node program; what it says, such as progress and a summary, is seen as it comes.
 * @param {string[]} args
 * @param {string} input
 * @param {Record<string, string>} [env]
 * @returns {Promise<{ code: number | null, ms: number }>}
 */
function timed(args, input, env = {}) {
  if (ended !== undefined) return Promise.reject(new Error(ended))
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, ...env } })
  running = child
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => (ended === undefined ? resolve({ code, ms: performance.now() - began }) : reject(new Error(ended))))
  })
}

/** Bytes per ms in this process, over the second half: V8 compiles during the first. @param {import('./sources.mjs').Source[]} some */
async function measuredSpeed(some) {
  const half = some.length >> 1
  for (const { file } of some.slice(0, half)) await inline.minify(file)
  const began = performance.now()
  let done = 0
  for (const { file, bytes: size } of some.slice(half)) {
    await inline.minify(file)
    done += size
  }
  return done / (performance.now() - began)
}

function command() {
  const relative = (file) => (path.relative(process.cwd(), file).startsWith('..') ? file : path.relative(process.cwd(), file))
  return `node ${relative(farm)} map ./${relative(worker)} --method minify 'src/**/*.js' --out dist --ext .min.js`.replace('.//', '/')
}

function mb(count) {
  return `${(count / 1e6).toFixed(1)} MB`
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
