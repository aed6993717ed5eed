// Specs of behaviour once more on a system that lacks something, made so by a variable: behaviour must be the same.
//
//   npm run fallbacks [-- pattern …]     all specs that a missing part could make differ, or those of them that match
//   npm run fallbacks -- --all-at-once   only the system that lacks everything
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const EACH = ['FARM_FORCE_NO_PIDFD', 'FARM_FORCE_NO_MEMFD', 'FARM_FORCE_NO_CGROUP', 'FARM_FORCE_NO_CLOSE_RANGE']

/** Specs in which no worker runs, or only as it must to be refused, by what they are about instead. */
const LEFT_OUT = {
  'what the codec makes of values': ['values', 'values-plain', 'values-random', 'values-refused', 'values-garbage'],
  'one JavaScript file by itself': ['caller-stack', 'command-arguments', 'fifo', 'map', 'module', 'resolve'],
  'which binary is loaded': ['unsupported'],
  'the scripts of this folder': ['slow/check-counts', 'slow/floors', 'slow/setup'],
  'the missing parts, with variables of its own': ['fallbacks']
}

function specs() {
  const folder = path.join(root, '__test__')
  const names = ['', 'slow/'].flatMap((at) => readdirSync(path.join(folder, at)).filter((file) => file.endsWith('.spec.js')).map((file) => at + file.slice(0, -8)))
  const out = Object.values(LEFT_OUT).flat()
  const unknown = out.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`no spec ${unknown.join(', ')} to leave out`)
  return names.filter((name) => !out.includes(name)).map((name) => `__test__/${name}.spec.js`)
}

const { values, positionals } = parseArgs({ options: { 'all-at-once': { type: 'boolean' } }, allowPositionals: true })
const wanted = positionals.map((pattern) => new RegExp(pattern))
const chosen = specs().filter((name) => wanted.length === 0 || wanted.some((pattern) => pattern.test(name)))
if (chosen.length === 0) throw new Error(`no spec matches ${positionals.join(' or ')}`)
const patterns = chosen.map((name) => `/${name.replace(/\./g, '\\.')}$`)
const systems = values['all-at-once'] ? [EACH] : [...EACH.map((name) => [name]), EACH]

let failed = 0
for (const variables of systems) {
  console.log(`\nwith ${variables.join(' and ')}`)
  const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--testPathPatterns', ...patterns], {
    cwd: root, stdio: 'inherit', env: { ...process.env, ...Object.fromEntries(variables.map((name) => [name, '1'])) }
  })
  if (status !== 0) failed++
}
console.log(`\n${systems.length - failed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
