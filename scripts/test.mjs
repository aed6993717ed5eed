// npm test: sets up what is missing, then runs every check there is. Ends with one line of counts.
//
//   node scripts/test.mjs [name …]     only the steps of these names
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSteps } from './checks/run.mjs'
import { allSteps } from './checks/steps.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const setup = spawnSync(process.execPath, [path.join(root, 'scripts', 'setup.mjs'), '--tools'], { stdio: 'inherit' })
if (setup.status !== 0) process.exit(setup.status ?? 1)

const names = process.argv.slice(2)
const steps = allSteps(root)
const unknown = names.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`no step ${unknown.join(', ')}; there are: ${steps.map((step) => step.name).join(', ')}`)
  process.exit(1)
}

const { failed } = await runSteps(root, names.length > 0 ? steps.filter((step) => names.includes(step.name)) : steps)
if (failed > 0) process.exitCode = 1
