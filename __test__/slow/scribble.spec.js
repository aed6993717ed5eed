'use strict'

// A worker that writes random bytes over all shared memory it can reach, also while the parent reads: the parent and
// another farm go on, and every task settles.

const { execFile } = require('node:child_process')
const path = require('node:path')

const parent = path.join(__dirname, '..', 'fixtures', 'scribbled-parent.js')

function scribbled(seed) {
  return new Promise((resolve) => {
    // The limit ends a hang, which is then the failure.
    execFile(process.execPath, [parent, String(seed)], { timeout: 100_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ signal: error?.signal ?? null, code: error?.code ?? 0, stdout, stderr })
    })
  })
}

const base = Number(process.env.FARM_SEED ?? Date.now() % 100_000)

test.each([base, base + 1, base + 2])('a scribbling worker harms only its own farm (seed %i)', async (seed) => {
  const { signal, code, stdout, stderr } = await scribbled(seed)
  expect({ signal, code, stderr: stderr.slice(-2000) }).toEqual({ signal: null, code: 0, stderr: '' })
  // What its tasks came to is open; that they came to something is not.
  expect(JSON.parse(stdout)).toEqual({ codes: expect.any(Object) })
}, 120_000)
