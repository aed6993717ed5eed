// The rules of the house as data: which room stands on which floor, who may look down at whom, where unsafe
// and the operating system may be named. Patterns: `*` within one folder, `**` across folders. The first
// room that matches a file is its room.

/** JavaScript rooms. `imports`: patterns of files in the repository that the room may import; `never`: exceptions to them. */
export const jsRooms = [
  { name: 'bin', floor: 8, files: ['bin/**'], imports: ['index.js', 'package.json', 'bin/**'] },
  { name: 'compat', floor: 8, files: ['compat/**'], imports: ['index.js', 'compat/**'] },
  { name: 'examples', floor: 8, files: ['examples/**'], imports: ['index.js', 'package.json', 'lib/worker/index.js', 'examples/**'] },
  { name: 'face', floor: 7, files: ['index.js'], imports: ['lib/*', 'lib/worker/entry.js'] },
  { name: 'service', floor: 6.5, files: ['lib/service.js'], imports: ['lib/*', 'lib/codec/**'] },
  { name: 'addon', floor: 5, files: ['lib/native-addon.js'], imports: ['native.js', 'lib/errors.js'] },
  { name: 'farm', floor: 6, files: ['lib/farm.js'], imports: ['lib/*', 'lib/codec/**'] },
  { name: 'worker', floor: 6, files: ['lib/worker/**'], imports: ['native.js', 'lib/*', 'lib/codec/**', 'lib/worker/**'], never: ['lib/farm.js'] },
  { name: 'lib', floor: 5, files: ['lib/**'], imports: ['lib/**', 'package.json'] },
  { name: 'trials', floor: 9, files: ['scripts/{chaos,soak,orphans}.mjs', 'scripts/{chaos,soak,orphans}/**'], imports: ['index.js', 'lib/worker/index.js', 'scripts/**'] },
  { name: 'code cache', floor: 9, files: ['scripts/code-cache.mjs', 'scripts/code-cache/**'], imports: ['index.js', 'lib/worker/entry.js', 'scripts/**'] },
  { name: 'scripts', floor: 9, files: ['scripts/**'], imports: ['scripts/**'] }
]

/** Files that exist only after a build; an import of one is an import all the same. */
export const generated = ['native.js', 'native.d.ts']

/** Written by hand; a build that names its output wrongly would put a loader or raw types here. */
export const handWritten = ['index.js', 'index.d.ts', 'worker.d.ts']

/** Rooms whose files import nothing but Node's own modules and their own room. */
export const withoutPackages = ['scripts/**']

/** Rust rooms: the crates. `uses`: crates of the repository it may name; `napi`: whether it may name napi. */
export const crates = [
  { name: 'farm_sys', dir: 'crates/sys', floor: 0, uses: [], napi: false },
  { name: 'farm_transport', dir: 'crates/transport', floor: 1, uses: ['farm_sys'], napi: false },
  { name: 'farm_engine', dir: 'crates/engine', floor: 2, uses: ['farm_transport', 'farm_sys'], napi: false, forbidsUnsafe: true },
  { name: 'farm_guard', dir: 'crates/guard', floor: 1, uses: ['farm_sys'], napi: false, forbidsUnsafe: true },
  { name: 'farm_worker', dir: 'sdk/rust', floor: 2, uses: ['farm_transport'], napi: false },
  { name: 'farm_native', dir: '.', floor: 3, uses: ['farm_engine', 'farm_transport'], napi: true }
]

/** Modules within a crate that may name only the modules listed (of the same crate) and the crates listed. */
export const modules = [
  { crate: 'farm_engine', module: 'pool', modules: [], crates: [] },
  { crate: 'farm_engine', module: 'once', modules: [], crates: [] },
  { crate: 'farm_engine', module: 'settings', modules: [], crates: ['farm_transport'] },
  { crate: 'farm_engine', module: 'process', modules: ['once', 'settings'], crates: ['farm_transport', 'farm_sys'] },
  { crate: 'farm_engine', module: 'shared', modules: ['process', 'settings'], crates: ['farm_transport', 'farm_sys'] },
  { crate: 'farm_engine', module: 'supervisor', modules: ['once', 'pool', 'process', 'shared', 'settings'], crates: ['farm_transport', 'farm_sys'] }
]

/** The only files that may hold `unsafe`. */
export const unsafeRooms = [
  'crates/sys/src/**',
  'crates/transport/src/{queue,ring,arena,segment}.rs',
  'crates/transport/src/{queue,ring,arena,segment}/**'
]

/** In these files `unsafe` needs this marker within the first lines, with the reason beside it. */
export const markedUnsafe = { files: ['src/**'], marker: 'unsafe room:', within: 15 }

/** The only files that may ask which operating system they are compiled for. */
export const systemRooms = ['crates/sys/**']

export const forbiddenNames = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager']

/** The most lines a file may have. */
export const sizes = [
  { files: ['**/*.rs'], lines: 450 },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], lines: 300 }
]

/** Not measured: tests say the same thing many times. */
export const unmeasured = ['__test__/**', '**/tests/**', '**/tests.rs', '**/*.d.ts', 'fuzz/**']

/** Folders that are not part of the source. */
export const skippedFolders = ['node_modules', 'target', '.git', 'coverage']
