'use strict'

// Old kernels and strict containers lack parts of the system; these variables make farm do without them here.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')

const parent = path.join(__dirname, 'fixtures', 'fallbacks', 'parent.js')

async function run(variables) {
  const { stdout } = await promisify(execFile)(process.execPath, [parent], { env: { ...process.env, ...variables } })
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
