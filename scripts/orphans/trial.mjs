// The end of one parent: brought into a state, ended in some way, and looked for what outlives it.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { marked } from '../chaos/census.mjs'
import group from './group.cjs'

const program = fileURLToPath(new URL('./parent.cjs', import.meta.url))
const MARK = 'FARM_TRIAL'
/** What is there after this time (ms) stays. A machine under load may need more than the second that is promised. */
const PATIENCE = 20_000
const LOOK_AGAIN = 5
/** A parent is killed within this time (ms) after it has asked for workers. */
const STARTING = 150

/** Why no parent can be in a cgroup where it may make others; empty when one can. */
export const noGroups = tryGroup()
export const states = ['idle', 'waiting', 'busy', 'stopped', 'starting', 'family', 'busy family', 'stopped family', 'nested', 'script', 'thread']
// What leaves its process group ends with its parent only there.
if (noGroups === '') states.push('sessions')
export const ends = ['SIGKILL', 'SIGTERM', 'SIGHUP', 'throw', 'reject', 'exit', 'abort', 'hang-up']

/** Whether a pseudo-terminal can be had to hang up. */
export const hasTerminals = spawnSync('script', ['--version']).status === 0

let serial = 0

function tryGroup() {
  if (process.env.FARM_FORCE_NO_CGROUP === '1') return 'FARM_FORCE_NO_CGROUP is set'
  const made = group.delegated()
  if ('group' in made) rmdirSync(made.group)
  return 'why' in made ? made.why : ''
}

/**
 * @param {string} state
 * @param {string} end
 * @param {number} place of it among its like, 0 to 1
 * @returns {Promise<{ survivors: string[], ms: number, processes: number }>}
 */
export async function orphan(state, end, place) {
  const mark = `${MARK}=${process.pid}.${++serial}`
  const env = { ...process.env, [MARK]: mark.slice(MARK.length + 1) }
  const args = [process.execPath, program, state, end]
  if (end === 'hang-up') args.splice(0, args.length, 'script', '-qefc', args.map((arg) => `'${arg}'`).join(' '), '/dev/null')
  const made = state === 'sessions' ? group.delegated() : {}
  if ('why' in made) throw new Error(`no cgroup can be made: ${made.why}`)
  const [command, ...rest] = 'group' in made ? [...group.into(made.group), ...args] : args
  const child = spawn(command, rest, { env, stdio: [end === 'hang-up' ? 'pipe' : 'ignore', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const pids = await ready(child)
    if (pids === undefined) throw new Error(`a parent in the state "${state}" ended before it was ready`)
    // One that ends by itself does so at once, and its workers may be gone.
    const byItself = !end.startsWith('SIG') && end !== 'hang-up'
    if (state.startsWith('stopped') && !byItself) await stopped(pids)
    if (state === 'starting') await pause(place * STARTING)
    const processes = marked(mark).length
    if (end.startsWith('SIG')) child.kill(end)
    // Its terminal goes with it, as when a window is closed.
    if (end === 'hang-up') child.kill('SIGKILL')
    await ended
    const since = performance.now()
    const left = await outlived(mark, child.pid, made.group)
    return { survivors: left, ms: performance.now() - since, processes }
  } finally {
    child.kill('SIGKILL')
    for (const pid of marked(mark)) kill(pid)
    child.stdout.destroy()
    if (made.group !== undefined) await group.removed(made.group)
  }
}

/** @returns {Promise<number[] | undefined>} the pids that it names */
async function ready(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const [, pids] = /^ready (.*?)\r?$/.exec(line) ?? []
    if (pids !== undefined) return JSON.parse(pids)
  }
  return undefined
}

/** @param {number[]} pids */
async function stopped(pids) {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  for (const pid of pids) {
    for (;;) {
      const state = stateOf(pid)
      if (state === 'T') break
      if (state === '' || state === 'Z') throw new Error(`${pid} ended when it was to be stopped`)
      await pause(1)
    }
  }
}

/** What is left of it after a while, in words. */
async function outlived(mark, parent, folder) {
  const until = performance.now() + PATIENCE
  for (;;) {
    const left = [...marked(mark), ...guardsOf(parent)]
    const groups = folder === undefined ? [] : group.groupsIn(folder)
    if (left.length === 0 && groups.length === 0) return []
    if (performance.now() > until) return [...left.map(describe), ...groups.map((name) => `left behind: the cgroup ${name}`)]
    await pause(LOOK_AGAIN)
  }
}

function guardsOf(parent) {
  const name = `farm-guard: ${parent}\0`
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && read(`/proc/${entry}/cmdline`) === name).map(Number)
}

function describe(pid) {
  return `survived: ${pid} (${stateOf(pid)}) ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()}`
}

/** The letter, empty when there is no such process. */
function stateOf(pid) {
  return read(`/proc/${pid}/stat`).replace(/^.*\) /s, '').slice(0, 1)
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

function read(file) {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
