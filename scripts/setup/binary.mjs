// Cargo's part of set-up: the crates on disk, then the addon.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { isFresh } from './stamp.mjs'
import { SetupError } from './stop.mjs'

const unreachable = /--offline was specified|failed to download|[Cc]ould(?:n't| not) (?:resolve|connect)|spurious network error|network failure|[Tt]imeout was reached|[Ff]ailed to connect|failed to query replaced source|unable to update registry/

/** Whether the addon in the tree belongs to the sources in the tree. @param {string} root */
export function isBuilt(root) {
  return isFresh(root)
}

/**
 * Brings every crate to this machine that building and testing takes, so that later runs need no network.
 * The lock-free parts are tested under a cfg of their own, and cargo fetches by cfg.
 * @param {string} root
 */
export function fetchCrates(root) {
  const target = hostTarget(root)
  for (const flags of ['', '--cfg loom']) {
    const env = { ...process.env, RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} ${flags}`.trim() }
    const args = ['fetch', '--quiet', ...(target ? ['--target', target] : [])]
    const cargo = spawnSync('cargo', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
    if (cargo.status === 0) continue
    throw cargoFailure(cargo.stderr, 'cargo fetch', cargo.status)
  }
}

/** Compiles the addon. @param {string} root */
export function build(root) {
  const cli = path.join(root, 'node_modules', '@napi-rs', 'cli')
  if (!existsSync(cli)) {
    throw new SetupError('no @napi-rs/cli in node_modules', 'install with the dev dependencies: npm install --include=dev')
  }
  console.error('farm: building the addon')
  const script = path.join(root, 'scripts', 'build.mjs')
  // Both streams are kept: only when it fails is there anything in them that a user wants to read.
  const built = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 })
  if (built.status === 0) return
  throw cargoFailure(built.stderr + built.stdout, 'the build', built.status)
}

function cargoFailure(output, what, status) {
  if (unreachable.test(output)) {
    return new SetupError('no network, and crates that cargo does not have in its cache', 'connect and run this again; once is enough, later runs need no network')
  }
  process.stderr.write(output)
  return new SetupError(`${what} failed with exit code ${status} (its output is above)`, 'correct what the compiler names and run this again')
}

// Without a target cargo would fetch the crates of every system there is.
function hostTarget(root) {
  const rustc = spawnSync('rustc', ['-vV'], { cwd: root, encoding: 'utf8' })
  return rustc.status === 0 ? /^host: (\S+)$/m.exec(rustc.stdout)?.[1] : undefined
}
