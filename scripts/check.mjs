// npm run check: the fast checks, for daily use. Works without a network.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSteps } from './checks/run.mjs'
import { allSteps } from './checks/steps.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const setup = spawnSync(process.execPath, [path.join(root, 'scripts', 'setup.mjs')], { stdio: 'inherit' })
if (setup.status !== 0) process.exit(setup.status ?? 1)

const quick = allSteps(root).filter((step) => step.quick)
const steps = quick.map((step) => ({ ...step, args: [...step.args, ...(step.quickArgs ?? [])] }))
const { failed } = await runSteps(root, steps)
if (failed > 0) process.exitCode = 1
