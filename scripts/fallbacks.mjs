// Specs of behaviour once more on a system that lacks something, made so by a variable: behaviour must be the same.
//
//   npm run fallbacks [-- pattern …]     all of the specs below, or those that match
//
// Left out are specs that look at the very thing that is missing, and those in which no process takes part.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const LACKS = [
  ['FARM_FORCE_NO_PIDFD'],
  ['FARM_FORCE_NO_MEMFD'],
  ['FARM_FORCE_NO_CGROUP'],
  ['FARM_FORCE_NO_PIDFD', 'FARM_FORCE_NO_MEMFD', 'FARM_FORCE_NO_CGROUP']
]
const SPECS = [
  'abort', 'call', 'close', 'context', 'crash', 'errors', 'exit-record', 'guard', 'map-through-workers', 'max-queue', 'order', 'priority',
  'progress', 'queue-timeout', 'retries', 'slow/fork', 'slow/lifetime', 'slow/limits', 'slow/payload', 'slow/quiet-memory',
  'slow/start', 'slow/worker-output', 'stats', 'tasks-side-by-side', 'timeout', 'wedged'
]

const patterns = process.argv.length > 2 ? process.argv.slice(2) : SPECS.map((name) => `__test__/${name}\\.spec`)
let failed = 0
for (const variables of LACKS) {
  console.log(`\nwith ${variables.join(' and ')}`)
  const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--testPathPatterns', ...patterns], {
    cwd: root, stdio: 'inherit', env: { ...process.env, ...Object.fromEntries(variables.map((name) => [name, '1'])) }
  })
  if (status !== 0) failed++
}
console.log(`\n${LACKS.length - failed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1
