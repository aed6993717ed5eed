'use strict'

// What the farms of the chaos test run: results are functions of the input, so that each can be checked.

const { setTimeout: pause } = require('node:timers/promises')
const fs = require('node:fs')
const ctx = require('../../lib/worker/index.js')

if (fs.existsSync(process.env.FARM_CHAOS_BROKEN ?? '')) throw new Error('broken for a while')

exports.mix = (n, value) => ({ n, value })
exports.late = async (n, ms) => {
  await pause(ms)
  return { n, ms }
}
exports.measure = (n, bytes) => ({ n, length: bytes.length, first: bytes[0], last: bytes[bytes.length - 1] })
exports.make = (n, length) => Buffer.alloc(length, n % 251)

exports.throws = (n) => {
  throw Object.assign(new RangeError(`thrown ${n}`), { n, cause: new TypeError('why') })
}
exports.rejects = async (n) => {
  await null
  throw { rejected: n }
}
exports.answersFunction = () => () => {}

exports.exits = (code) => process.exit(code)
exports.dies = (signal) => {
  process.kill(process.pid, signal)
  // Until it comes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
/** Answers, and takes its process down afterwards. */
exports.diesLater = (n, ms) => {
  setTimeout(() => {
    throw new Error(`later ${n}`)
  }, ms)
  return n
}

exports.spins = () => {
  for (;;);
}
exports.hangs = () => new Promise(() => {})
/** Lets go when it is told to. */
exports.obeys = () => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve('late')))
exports.asks = () => {
  while (!ctx.cancelled);
}

exports.emits = async (n, count) => {
  for (let index = 0; index < count; index++) {
    ctx.emit({ n, index })
    if (index % 3 === 0) await null
  }
  return { n, count }
}

const MIB = 1 << 20
let kept = []
/** Keeps so much until it has more than any other farm's worker should. */
exports.keeps = (n, mib) => {
  if (kept.length > 100) kept = []
  for (let each = 0; each < mib; each++) kept.push(Buffer.alloc(MIB, 1))
  return n
}
/** Goes on until it is stopped for it. */
exports.fills = () => {
  for (;;) kept.push(Buffer.alloc(MIB, 1))
}
exports.computes = (n, ms) => {
  const { user } = process.cpuUsage()
  while (process.cpuUsage().user - user < ms * 1000);
  return n
}
