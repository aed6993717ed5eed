'use strict'

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const root = path.join(__dirname, '..', '..')
const runner = pathToFileURL(path.join(root, 'scripts', 'checks', 'run.mjs')).href

/** Runs steps that print what a real runner prints, and returns the last line and the counts. */
function run(steps) {
  const planted = steps.map(({ prints = '', status = 0, counts }) => ({
    name: counts, counts, command: process.execPath, args: ['-e', `console.log(${JSON.stringify(prints)});process.exitCode=${status}`]
  }))
  const program = `import(${JSON.stringify(runner)}).then(({ runSteps }) => runSteps(process.cwd(), ${JSON.stringify(planted)}))`
  const { stdout } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' })
  return stdout.trim().split('\n').at(-1)
}

const cargo = 'test result: ok. 20 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 6 passed; 2 failed; 0 ignored'
const suites = 'Test Suites: 9 passed, 9 total\nTests:       1 failed, 2 skipped, 30 passed, 33 total'

test.each([
  ['the runners of a run together', [{ counts: 'cargo', prints: cargo, status: 101 }, { counts: 'jest', prints: suites, status: 1 }, { counts: 'plain', prints: '4 passed, 0 failed' }, { counts: 'one' }], '61 passed, 3 failed, 3 skipped'],
  ['a check that fails', [{ counts: 'one', status: 1 }], '0 passed, 1 failed'],
  ['a runner that dies before its summary', [{ counts: 'cargo', prints: 'error: could not compile', status: 101 }], '0 passed, 1 failed'],
  ['a runner that dies after good tests', [{ counts: 'jest', prints: 'Tests:       30 passed, 30 total', status: 1 }], '30 passed, 1 failed'],
  ['a runner that ran no test', [{ counts: 'jest', prints: 'No tests found' }], '0 passed, 1 failed']
])('%s', (_, steps, line) => {
  expect(run(steps)).toBe(line)
})
