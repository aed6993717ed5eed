// Builds the addon: `napi build` compiles the crate and writes farm.<platform>.node, the loader native.js
// and the raw types native.d.ts beside it; then the guard program, farm-guard.<platform>, and V8's code of lib/. Options after
// the script's name go to `napi build`, except --debug, which leaves --release out.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'
import { keepCode } from './setup/code.mjs'
import { sourceHash, writeStamp } from './setup/stamp.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const handWritten = ['index.js', 'index.d.ts']

const cli = path.join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
if (!existsSync(cli)) {
  fail('@napi-rs/cli is not in node_modules', 'run `npm install` in the repository (with its dev dependencies)')
}

const given = process.argv.slice(2)
const debug = given.includes('--debug')
const args = ['build', '--platform', '--js', 'native.js', '--dts', 'native.d.ts']
if (!debug) args.push('--release')
args.push(...given.filter((arg) => arg !== '--debug'))

// The compiler's copy overwrites the addon in place, which would change the code of processes that have it mapped: give
// them the old file for themselves.
for (const name of readdirSync(root).filter((name) => name.endsWith('.node'))) {
  const file = path.join(root, name)
  copyFileSync(file, `${file}.old`)
  renameSync(`${file}.old`, file)
}

// Taken before the compiler starts: a source that changes while it runs must count as not yet built.
const hash = sourceHash(root)
const before = readHandWritten()
const started = Date.now()

const built = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' })
if (built.error) throw built.error

const overwritten = handWritten.filter((name) => readHandWritten()[name] !== before[name])
if (overwritten.length > 0) {
  fail(`the build changed ${overwritten.join(' and ')}, which are written by hand`,
    `restore them (git checkout -- ${overwritten.join(' ')}) and keep --js native.js --dts native.d.ts in scripts/build.mjs`)
}
if (built.status !== 0) process.exit(built.status ?? 1)
buildGuard()
writeStamp(root, debug ? `${hash} debug` : hash)
// Of another target nothing can be run here.
if (!given.includes('--target')) await keepCode()

/** The guard for the system that the addon was just built for. */
function buildGuard() {
  const [addon] = readdirSync(root).filter((name) => name.endsWith('.node') && statSync(path.join(root, name)).mtimeMs >= started - 1)
  const target = given.includes('--target') ? [given[given.indexOf('--target') + 1]] : []
  const cargo = spawnSync('cargo', ['build', '--profile', 'guard', '--package', 'farm-guard', ...target.flatMap((name) => ['--target', name])],
    { cwd: root, stdio: 'inherit' })
  if (cargo.error) throw cargo.error
  if (cargo.status !== 0) process.exit(cargo.status ?? 1)
  if (addon === undefined) fail('no *.node was written by this build', 'look at the output of `napi build` above')
  const built = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'), ...target, 'guard', 'farm-guard')
  const file = path.join(root, addon.replace(/^farm\.(.*)\.node$/, 'farm-guard.$1'))
  // A running guard keeps the old file.
  copyFileSync(built, `${file}.new`)
  renameSync(`${file}.new`, file)
}

function readHandWritten() {
  return Object.fromEntries(handWritten.map((name) => {
    const file = path.join(root, name)
    return [name, existsSync(file) ? readFileSync(file, 'utf8') : null]
  }))
}

/** @param {string} found @param {string} todo @returns {never} */
function fail(found, todo) {
  console.error(`found: ${found}\ndo:    ${todo}`)
  process.exit(1)
}
