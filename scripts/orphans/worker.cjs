'use strict'

// What the workers of the doomed parents do. A task says `emit` when its code runs.

const { spawn } = require('node:child_process')
const ctx = require('../../lib/worker/index.js')

const say = (...pids) => ctx.emit([process.pid, ...pids])

const kin = () => [
  spawn('sleep', ['100000'], { stdio: 'ignore' }).pid,
  // One that computes, and has a child of its own.
  spawn('sh', ['-c', 'sleep 100000 & while :; do :; done'], { stdio: 'ignore' }).pid
]

exports.wait = () => {
  say()
  return new Promise(() => {})
}
exports.spin = () => {
  say()
  for (;;);
}
exports.family = () => {
  say(...kin())
  return new Promise(() => {})
}
/** With a session of its own for each, which takes them out of the worker's process group. */
exports.sessions = () => {
  const start = (command, args) => spawn(command, args, { stdio: 'ignore', detached: true }).pid
  say(start('sleep', ['100000']), start('sh', ['-c', 'setsid sleep 100000 & while :; do :; done']))
  return new Promise(() => {})
}
exports.familyAndSpin = () => {
  say(...kin())
  for (;;);
}
/** A worker that is a parent itself. */
exports.nested = () => {
  const { WorkerFarm } = require('../../index.js')
  new WorkerFarm(__filename, { max: 1 }).run('family', [], { onProgress: (pids) => say(...pids) }).catch(() => {})
  return new Promise(() => {})
}
