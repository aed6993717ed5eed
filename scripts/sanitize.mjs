// Runs the Rust tests of the line under the sanitizers of the compiler, both ends as threads of one process. They exist
// only in nightly compilers, or in a stable one that is told to act as such, so this is no part of `npm test`.
//
//   node scripts/sanitize.mjs [thread | address …]
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/**
 * Flags beyond `-Zsanitizer`, and which tests. The standard library is not instrumented: the compiler must be told that
 * this is meant, and the thread sanitizer sees races in what that library and the test harness pass between threads by
 * themselves. Hence the one test that avoids the first, and a list that leaves out the second.
 */
const sanitizers = {
  thread: { flags: ['-Cunsafe-allow-abi-mismatch=sanitizer'], tests: ['--test', 'stress'] },
  address: { flags: [], tests: ['--lib', '--tests'] }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(sanitizers)
const unknown = names.filter((name) => !Object.hasOwn(sanitizers, name))
if (unknown.length > 0) {
  console.error(`no sanitizer ${unknown.join(', ')}; there are: ${Object.keys(sanitizers).join(', ')}`)
  process.exit(1)
}

const host = /^host: (.+)$/m.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout ?? '')?.[1]
if (!host) {
  console.error('no rustc in the PATH; install Rust 1.88 or newer')
  process.exit(1)
}

for (const name of names) {
  const { flags, tests } = sanitizers[name]
  console.log(`-- ${name} sanitizer`)
  const { status } = spawnSync('cargo', ['test', '-p', 'farm-transport', '--target', host, ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      RUSTC_BOOTSTRAP: '1',
      RUSTFLAGS: [`-Zsanitizer=${name}`, ...flags].join(' '),
      CARGO_TARGET_DIR: path.join(root, 'target', `sanitize-${name}`),
      // Arenas are sparse maps of many GiB; what a process leaks at its end is not the question here.
      ASAN_OPTIONS: 'detect_leaks=0',
      TSAN_OPTIONS: `halt_on_error=1 suppressions=${path.join(root, 'scripts', 'sanitize', 'thread.suppressions')}`
    }
  })
  if (status !== 0) process.exitCode = 1
}
