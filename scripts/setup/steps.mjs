// The order of set-up: npm's packages, then the addon. Every step first asks whether it has anything to do.
import path from 'node:path'
import { isBuilt, build, fetchCrates } from './binary.mjs'
import { install, isInstalled } from './packages.mjs'
import { keepCode } from './code.mjs'
import { requireSystem, requireTools } from './requirements.mjs'
import { SetupError } from './stop.mjs'

/**
 * @param {string} root the repository
 * @param {string[]} args what followed `setup.mjs`
 */
export async function run(root, args) {
  const options = parse(args)
  const stale = !isBuilt(root)
  if (stale || options.tools) {
    // All that can be said at once is said before the first minute of downloading.
    requireSystem()
    requireTools(root)
  }
  if (!options.prepare) {
    for (const dir of ['.', ...options.also]) {
      const at = path.join(root, dir)
      if (!isInstalled(at)) install(at)
    }
  }
  if (options.tools) fetchCrates(root)
  if (stale) build(root)
  await keepCode()
}

function parse(args) {
  const options = { prepare: false, tools: false, also: [] }
  for (const arg of args) {
    if (arg === '--prepare') options.prepare = true
    else if (arg === '--tools') options.tools = true
    else if (arg.startsWith('--also=')) options.also.push(arg.slice('--also='.length))
    else throw new SetupError(`the option ${arg}`, 'use --also=DIR, --tools or --prepare')
  }
  return options
}
