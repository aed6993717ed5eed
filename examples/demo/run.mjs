// The demo: the same work on all cores through a farm and in this process alone, with the delay of this process's event
// loop beside it. The work: brotli, at its hardest, over JavaScript files of the installed packages.
//   npm run demo

import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createService, farmOf } from 'farm'
import { LoopDelay } from './loop-delay.mjs'
import { sample, sourcesBelow } from './sources.mjs'

/** About how long the work shall take in one process, ms: with one core the farm needs as long again. */
const ALONE = 13_000
const LINE_EVERY = 2_000

const inline = createRequire(import.meta.url)('./worker.js')
const packages = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'node_modules')
const all = sourcesBelow(packages)
if (all.length === 0) throw new Error(`no JavaScript files below ${packages}: run npm install first`)
const speed = measuredSpeed(sample(all, 200_000))
const sources = sample(all, speed * ALONE)
const files = sources.map(({ file }) => file)
console.log(`${files.length} JavaScript files, ${mb(sources.reduce((sum, { bytes }) => sum + bytes, 0))}: brotli at its hardest, read back, hashed`)

const farmed = await measure('farm', inFarm)
const alone = await measure('this process alone', inThisProcess)

const same = alone.results.every(({ file, sha256 }) => farmed.digests.get(file) === sha256)
const saved = alone.results.reduce((sum, { bytes, small }) => sum + bytes - small, 0)
console.log(`results equal: ${same ? 'yes' : 'NO'}, ${mb(saved)} saved`)
console.log(`the farm took ${(farmed.ms / alone.ms).toFixed(2)} of the time; worst loop delay ${farmed.delay.toFixed(1)} ms instead of ${alone.delay.toFixed(1)} ms`)
if (!same) process.exitCode = 1

/** Bytes per ms in this process; the time also warms it up. @param {import('./sources.mjs').Source[]} some */
function measuredSpeed(some) {
  const began = performance.now()
  let bytes = 0
  for (const source of some) bytes += inline.shrink(source.file).bytes
  return bytes / (performance.now() - began)
}

async function* inFarm() {
  // Starting the workers is part of the time.
  const service = createService('./worker.js')
  console.log(`farm, with as many workers as this process may use CPUs: ${farmOf(service).options.max}`)
  try {
    yield* farmOf(service).map(files, 'shrink', { ordered: false })
  } finally {
    await farmOf(service).close()
  }
}

async function* inThisProcess() {
  for (const file of files) {
    yield inline.shrink(file)
    // The event loop gets a turn after each file, as in a program that takes care.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * @param {string} name
 * @param {() => AsyncGenerator<any>} work
 */
async function measure(name, work) {
  const delay = new LoopDelay()
  const began = performance.now()
  const results = []
  let bytes = 0
  let lineAt = began + LINE_EVERY
  for await (const result of work()) {
    results.push(result)
    bytes += result.bytes
    if (performance.now() >= lineAt) {
      lineAt += LINE_EVERY
      console.log(`  ${String(results.length).padStart(5)} of ${files.length} files, ${mb(bytes)} after ${seconds(performance.now() - began)}, worst loop delay ${delay.worst.toFixed(1)} ms`)
    }
  }
  const ms = performance.now() - began
  const worst = delay.stop()
  console.log(`${name}: ${seconds(ms)}, ${(bytes / 1000 / ms).toFixed(2)} MB/s, worst loop delay ${worst.toFixed(1)} ms`)
  return { ms, delay: worst, results, digests: new Map(results.map(({ file, sha256 }) => [file, sha256])) }
}

function mb(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
