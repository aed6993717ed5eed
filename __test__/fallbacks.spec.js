'use strict'

// Old kernels and strict containers lack parts of the system; these variables make farm do without them here.

const { execFile, spawnSync } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')

const parent = path.join(__dirname, 'fixtures', 'fallbacks', 'parent.js')

/** Without those that the tests themselves are run with. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FARM_FORCE_')))

async function run(variables) {
  const { stdout } = await promisify(execFile)(process.execPath, [parent], { env: { ...env, ...variables } })
  return JSON.parse(stdout)
}

const right = { sum: 39800, same: true, crash: { code: 'ERR_FARM_WORKER_EXIT', exitCode: 3 }, after: 42, workers: 0 }

test.each([
  ['with everything', {}, { memfd: true, file: false, pidfd: true }],
  ['without memfd: unlinked files', { FARM_FORCE_NO_MEMFD: '1' }, { memfd: false, file: true, pidfd: true }],
  ['without pidfd: ends are looked for', { FARM_FORCE_NO_PIDFD: '1' }, { memfd: true, file: false, pidfd: false }],
  ['without both', { FARM_FORCE_NO_MEMFD: '1', FARM_FORCE_NO_PIDFD: '1' }, { memfd: false, file: true, pidfd: false }]
])('tasks, a crash and close %s', async (_name, variables, held) => {
  expect(await run(variables)).toEqual({ ...right, ...held })
})

describe('without memfd, on a file system with little room', () => {
  /** In a namespace of its own, where files are kept in 24 MiB; `undefined` where this user may not. */
  function runInLittleRoom() {
    const namespace = process.getuid() === 0 ? ['--mount'] : ['--mount', '--map-root-user']
    const mount = 'mount -t tmpfs -o size=24m none /dev/shm || exit 77; exec "$@"'
    const variables = { FARM_FORCE_NO_MEMFD: '1', TMPDIR: '/dev/shm' }
    const { error, status, signal, stdout, stderr } = spawnSync(
      'unshare', [...namespace, 'sh', '-c', mount, 'sh', process.execPath, path.join(__dirname, 'fixtures', 'fallbacks', 'little-room.js')],
      { env: { ...env, ...variables }, encoding: 'utf8' }
    )
    if (error || status === 77 || /^unshare:/.test(stderr)) return undefined
    return { signal, stderr, outcome: stdout && JSON.parse(stdout) }
  }

  test('what has no room is refused, call by call, and ends no process', () => {
    const run = runInLittleRoom()
    if (!run) return console.log('not checked: no file system can be mounted here')
    expect(run).toEqual({
      signal: null, stderr: '',
      outcome: { argument: 'ERR_FARM_NO_MEMORY', result: 'ERR_FARM_NO_MEMORY', both: true, again: true, exits: 0 }
    })
  })
})
