// What must be on the machine before anything can be built: a system the addon runs on, cargo, a linker.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { SetupError } from './stop.mjs'

const systems = ['linux-x64', 'linux-arm64']
const fallbackRust = '1.88'

/** Refuses a system the addon has no code for. */
export function requireSystem() {
  const system = `${process.platform}-${process.arch}`
  if (systems.includes(system)) return
  throw new SetupError(`the system ${system} (${os.release()})`, `use one of ${systems.join(', ')}; others are not supported yet`)
}

/** Refuses a machine without a recent cargo or without a linker. @param {string} root */
export function requireTools(root) {
  const needed = neededRust(root)
  const cargo = spawnSync('cargo', ['--version'], { cwd: root, encoding: 'utf8' })
  if (cargo.error) {
    throw new SetupError('no cargo on the PATH', `install Rust ${needed} or newer with its cargo (rustup brings both)`)
  }
  const version = /^cargo (\d+\.\d+(?:\.\d+)?)/.exec(cargo.stdout)?.[1]
  if (cargo.status !== 0 || version === undefined) {
    const said = (cargo.stderr || cargo.stdout).trim().split('\n')[0]
    throw new SetupError(`a cargo that does not run (${said})`, `repair the Rust toolchain; \`cargo --version\` must say ${needed} or newer`)
  }
  if (isOlder(version, needed)) {
    throw new SetupError(`cargo ${version}`, `install Rust ${needed} or newer (with rustup: rustup update stable)`)
  }
  if (!hasLinker()) {
    throw new SetupError('no linker: no `cc` on the PATH', 'install a C compiler (Debian: apt-get install gcc libc6-dev; Alpine: apk add build-base)')
  }
}

function neededRust(root) {
  const manifest = readFileSync(path.join(root, 'Cargo.toml'), 'utf8')
  return /^rust-version\s*=\s*"([\d.]+)"/m.exec(manifest)?.[1] ?? fallbackRust
}

/** @param {string} version @param {string} needed */
export function isOlder(version, needed) {
  const have = version.split('.').map(Number)
  const want = needed.split('.').map(Number)
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - want[i]
    if (difference !== 0) return difference < 0
  }
  return false
}

// rustc links with `cc` on Linux unless it was told another; who configured one is believed.
function hasLinker() {
  if (isOnPath('cc') || /linker/.test(process.env.RUSTFLAGS ?? '')) return true
  if (Object.keys(process.env).some((name) => /^CARGO_TARGET_.*_LINKER$/.test(name))) return true
  const home = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  try {
    return /^\s*linker\s*=/m.test(readFileSync(path.join(home, 'config.toml'), 'utf8'))
  } catch {
    return false
  }
}

function isOnPath(command) {
  return (process.env.PATH ?? '').split(path.delimiter).some((dir) => {
    try {
      accessSync(path.join(dir || '.', command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
