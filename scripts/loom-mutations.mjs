// Puts each recorded fault into a copy of the lock-free code and demands that the model named beside it fails: a model
// that no fault can upset proves nothing. Takes some minutes.
//
//   node scripts/loom-mutations.mjs [word …]     only the faults whose description has one of these words
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { mutations } from './loom/mutations.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const chosen = mutations.filter(({ what }) => words.length === 0 || words.some((word) => what.includes(word)))
const copied = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'crates', 'src']

const folder = mkdtempSync(path.join(tmpdir(), 'farm-loom-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
for (const name of copied) cpSync(path.join(root, name), path.join(folder, name), { recursive: true })

function cargo(...args) {
  const env = {
    ...process.env,
    RUSTFLAGS: '--cfg loom',
    // Never the folder of the sound code: cargo takes the copies for the same crates.
    CARGO_TARGET_DIR: path.join(root, 'target', 'loom-mutations'),
    // Compiled once each, run for moments.
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '1',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    // A fault may make a loop endless in some order of steps; then the model has failed too, but it must end.
    LOOM_MAX_DURATION: '120'
  }
  const command = ['test', '--quiet', '-p', 'farm-transport', '--release', '--test', 'loom', ...args]
  return spawnSync('cargo', command, { cwd: folder, env, encoding: 'utf8' })
}

/** The text with the fault in it; a fault that no longer fits the source is an error, since it would test nothing. */
function withFault(text, { what, file, edits }) {
  for (const { head, from, to } of edits) {
    const start = text.indexOf(head)
    const at = text.indexOf(from, start)
    const end = text.indexOf('\n    }\n', start)
    if (start < 0 || at < 0 || at > end) throw new Error(`"${what}": no "${from}" in "${head}…" of ${file}; bring scripts/loom/mutations.mjs up to date`)
    text = text.slice(0, at) + to + text.slice(at + from.length)
  }
  return text
}

function run(mutation) {
  const file = path.join(folder, mutation.file)
  const sound = readFileSync(file, 'utf8')
  try {
    writeFileSync(file, withFault(sound, mutation))
    const built = cargo('--no-run')
    if (built.status !== 0) return `not compiled (${built.signal ?? built.status}):\n${built.stderr}`
    const { status, signal, stdout } = cargo('--', '--exact', mutation.fails)
    if (signal) return `ended by ${signal}`
    if (status === 0) return stdout.includes('1 passed') ? 'SURVIVED' : `no test ${mutation.fails}`
    return ''
  } finally {
    writeFileSync(file, sound)
  }
}

let wrong = 0
for (const mutation of chosen) {
  const finding = run(mutation)
  if (finding) wrong++
  console.log(`${finding ? 'NOT FOUND' : 'found    '} ${mutation.what} (${mutation.fails})${finding ? `: ${finding}` : ''}`)
}
const sound = cargo()
if (sound.status !== 0) {
  wrong++
  console.log(`the models fail without any fault:\n${sound.stdout}`)
}
console.log(`${chosen.length} faults, ${wrong} not found`)
process.exitCode = wrong > 0 ? 1 : 0
