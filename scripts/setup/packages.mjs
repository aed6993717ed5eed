// npm's part of set-up. npm itself is slow to start, so whether there is anything to install is read from
// the lock file and from the copy of it that npm keeps in node_modules.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { SetupError } from './stop.mjs'

const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|network request to/

/** Whether node_modules holds what the lock file names. @param {string} dir the folder of a package.json */
export function isInstalled(dir) {
  const wanted = readLock(path.join(dir, 'package-lock.json'))
  const present = readLock(path.join(dir, 'node_modules', '.package-lock.json'))
  if (wanted === null || present === null) return false
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true
    // Packages for other systems and other tastes are left out by npm on purpose.
    if (present[name] === undefined) return entry.optional === true || entry.peer === true
    return present[name].version === entry.version
  })
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Installs what the lock file of `dir` names, from npm's cache as far as it goes.
 * Not `npm ci`: it refuses a lock file that lacks an optional package of some other system, and a registry
 * mirror that does not carry those packages makes exactly such lock files. `--no-save` leaves the lock file alone.
 * @param {string} dir
 */
export function install(dir) {
  // Install scripts stay off: none of our packages needs one, and our own `postprepare` would come back here.
  const args = ['install', '--no-save', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund',
    '--fetch-retries=1', '--fetch-retry-mintimeout=1000']
  console.error(`farm: npm install (${path.basename(path.resolve(dir))})`)
  const npm = spawnSync('npm', args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 })
  if (npm.error) throw new SetupError('no npm on the PATH', 'install npm; it comes with Node')
  if (npm.status === 0) return
  if (unreachable.test(npm.stderr)) {
    throw new SetupError('no network, and packages that npm does not have in its cache', 'connect and run this again; once is enough, later runs need no network')
  }
  process.stderr.write(npm.stderr)
  throw new SetupError(`npm install failed in ${path.basename(path.resolve(dir))} with exit code ${npm.status} (its output is above)`, 'correct what npm names and run this again')
}

/**
 * Optional packages that a package of the lock file names and the lock file lacks, as `[where, name]`.
 * @param {Record<string, { optionalDependencies?: Record<string, string> }>} packages of a lock file
 * @returns {[string, string][]}
 */
export function lackingOptionals(packages) {
  const lacking = []
  for (const [at, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) if (!isWithin(packages, at, name)) lacking.push([at, name])
  }
  return lacking
}

/** As Node looks for it: beside the package, then further up. */
function isWithin(packages, at, name) {
  for (let folder = at; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}
