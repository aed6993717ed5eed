// Type-checks all crates for the systems that this machine cannot run, so that the seams for them stay real.
// The standard library of each target is built from its sources, for which the compiler of the distribution
// is used beside the one of the project; nothing is linked and nothing runs.
//
//   node scripts/cross-check.mjs [target ...]
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const RUSTC = '/usr/bin/rustc'
const CARGO = '/usr/bin/cargo'
/** What napi needs; Cargo.toml says the same as rust-version. */
const OLDEST = 88
const PACKAGES = 'apt-get install --no-install-recommends rustc-web cargo-web rust-web-src'

const targets = [
  'aarch64-unknown-linux-gnu',
  'x86_64-unknown-linux-musl',
  'aarch64-unknown-linux-musl',
  'aarch64-apple-darwin',
  'x86_64-apple-darwin',
  'x86_64-pc-windows-msvc',
  'aarch64-pc-windows-msvc'
]

const chosen = process.argv.slice(2)
const unknown = chosen.filter((target) => !targets.includes(target))
if (unknown.length > 0) {
  console.error(`cross-check: no target ${unknown.join(', ')}; there are\n  ${targets.join('\n  ')}`)
  process.exit(1)
}

const missing = whatIsMissing()
if (missing !== null) {
  console.log(`skipped: ${missing}; on Debian: ${PACKAGES}`)
  process.exit(0)
}

let failed = 0
for (const target of chosen.length > 0 ? chosen : targets) {
  const started = Date.now()
  const problem = check(target)
  console.log(`${target}: ${problem === null ? 'ok' : 'FAILED'}, ${((Date.now() - started) / 1000).toFixed(1)} s`)
  if (problem === null) continue
  console.log(problem)
  failed++
}
if (failed > 0) process.exitCode = 1

/** @returns {string | null} */
function whatIsMissing() {
  if (!existsSync(RUSTC) || !existsSync(CARGO)) return `there is no ${existsSync(RUSTC) ? CARGO : RUSTC}`
  const version = ask(['--version'])
  const minor = Number(/^rustc 1\.(\d+)\./.exec(version)?.[1] ?? 0)
  if (minor < OLDEST) return `${RUSTC} is ${version.trim()}, and 1.${OLDEST} or newer is needed`
  const sources = path.join(ask(['--print', 'sysroot']).trim(), 'lib', 'rustlib', 'src', 'rust', 'library', 'std')
  return existsSync(sources) ? null : `the sources of the standard library are not in ${sources}`
}

/** @param {string[]} args */
function ask(args) {
  return spawnSync(RUSTC, args, { encoding: 'utf8' }).stdout ?? ''
}

/** @param {string} target @returns {string | null} what the compiler had to say */
function check(target) {
  // An addon is a shared library, and for musl Rust makes none unless the C library is shared too.
  const flags = target.endsWith('-musl') ? { RUSTFLAGS: '-C target-feature=-crt-static' } : {}
  const { status, error, stderr } = spawnSync(
    CARGO,
    ['check', '--quiet', '--workspace', '-Zbuild-std=std,panic_abort', '--target', target],
    {
      cwd: root,
      encoding: 'utf8',
      // A folder of its own: another compiler would have everything built anew at each change between the two.
      env: { ...process.env, RUSTC, RUSTC_BOOTSTRAP: '1', ...flags, CARGO_TARGET_DIR: path.join(root, 'target', 'xcheck') }
    }
  )
  if (error) return error.message
  // Quiet, so that what is left are errors and warnings, and warnings count.
  return status === 0 && stderr.trim() === '' ? null : stderr || `cargo ended with ${status}`
}
