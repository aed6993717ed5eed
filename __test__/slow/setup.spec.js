'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
let clone
let tools

// A clone in small: the real set-up scripts, a build script that only leaves what a build leaves, and a PATH
// on which nothing is found but what a test puts there.
beforeEach(() => {
  clone = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-setup-'))
  tools = path.join(clone, 'tools')
  fs.mkdirSync(tools)
  fs.mkdirSync(path.join(clone, 'src'))
  fs.cpSync(path.join(root, 'scripts', 'setup'), path.join(clone, 'scripts', 'setup'), { recursive: true })
  fs.copyFileSync(path.join(root, 'scripts', 'setup.mjs'), path.join(clone, 'scripts', 'setup.mjs'))
  write('src/lib.rs', '// empty\n')
  write('Cargo.toml', '[workspace.package]\nrust-version = "1.88"\n')
  write('package.json', JSON.stringify({ name: 'farm', version: '0.1.0', napi: {} }))
  write('package-lock.json', JSON.stringify({ name: 'farm', lockfileVersion: 3, packages: { '': { name: 'farm' } } }))
  write('node_modules/.package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: {} }))
  write('node_modules/@napi-rs/cli/package.json', '{}')
  write('scripts/build.mjs', `
    import fs from 'node:fs'
    import { sourceHash, writeStamp } from './setup/stamp.mjs'
    fs.appendFileSync('builds', 'x')
    if (fs.existsSync('build-fails-with')) { console.error(fs.readFileSync('build-fails-with', 'utf8')); process.exit(101) }
    const hash = sourceHash(process.cwd())
    fs.writeFileSync('native.js', '')
    fs.writeFileSync('farm.linux-x64-gnu.node', '')
    writeStamp(process.cwd(), hash)
  `)
  write('scripts/code-cache.mjs', 'export async function makeCodeCache() {}')
  tool('cargo', 'echo "cargo 1.90.0 (abc 2025-01-01)"')
  tool('cc', 'exit 0')
})

afterEach(() => fs.rmSync(clone, { recursive: true, force: true }))

function write(name, text) {
  const file = path.join(clone, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}

function tool(name, script) {
  write(`tools/${name}`, `#!/bin/sh\n${script}\n`)
  fs.chmodSync(path.join(tools, name), 0o755)
}

/** Runs set-up in the clone; `preload` is a script that changes what the process sees of itself. */
function setup({ args = [], env = {}, preload } = {}) {
  if (preload) write('preload.cjs', preload)
  const nodeArgs = preload ? ['--require', path.join(clone, 'preload.cjs')] : []
  const run = spawnSync(process.execPath, [...nodeArgs, 'scripts/setup.mjs', ...args], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: tools, HOME: clone, CARGO_HOME: path.join(clone, 'cargo-home'), ...env }
  })
  return { status: run.status, stderr: run.stderr, lines: run.stderr.trim().split('\n'), builds: builds() }
}

function builds() {
  const file = path.join(clone, 'builds')
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').length : 0
}

/** Asserts the two lines with which set-up stops. */
function expectStop(run, found, todo) {
  expect(run.lines).toEqual([expect.stringMatching(found), expect.stringMatching(todo)])
  expect(run.lines[0]).toMatch(/^found: /)
  expect(run.lines[1]).toMatch(/^do: {4}/)
  expect(run.status).toBe(1)
  expect(run.builds).toBe(0)
}

const pretend = (object, property, value) =>
  `Object.defineProperty(${object}, ${JSON.stringify(property)}, { value: ${JSON.stringify(value)} })`

describe('what is missing is said in two lines', () => {
  test('a Node that is too old', () => {
    const preload = `${pretend('process.versions', 'node', '18.20.4')};${pretend('process', 'version', 'v18.20.4')}`
    expectStop(setup({ preload }), /Node v18\.20\.4$/, /install Node 20 or newer/)
  })

  test('no cargo', () => {
    fs.rmSync(path.join(tools, 'cargo'))
    expectStop(setup(), /no cargo on the PATH$/, /install Rust 1\.88 or newer/)
  })

  test('a cargo older than the crates need, as Cargo.toml says it', () => {
    tool('cargo', 'echo "cargo 1.87.0 (abc 2025-01-01)"')
    expectStop(setup(), /cargo 1\.87\.0$/, /install Rust 1\.88 or newer/)
    write('Cargo.toml', '[workspace.package]\nrust-version = "1.86"\n')
    expect(setup().status).toBe(0)
  })

  test('a cargo that does not run', () => {
    tool('cargo', 'echo "error: no toolchain is chosen" >&2; exit 1')
    expectStop(setup(), /does not run \(error: no toolchain is chosen\)$/, /repair the Rust toolchain/)
  })

  test('no linker, unless cargo was told of another one', () => {
    fs.rmSync(path.join(tools, 'cc'))
    expectStop(setup(), /no linker/, /install a C compiler/)
    write('cargo-home/config.toml', '[target.x86_64-unknown-linux-gnu]\nlinker = "other-cc"\n')
    expect(setup().status).toBe(0)
  })

  test('an unsupported system', () => {
    expectStop(setup({ preload: pretend('process', 'platform', 'sunos') }), /the system sunos-/, /linux-x64, linux-arm64/)
  })

  test('no network, and packages that are not in the cache of npm', () => {
    write('package-lock.json', JSON.stringify({
      name: 'farm',
      lockfileVersion: 3,
      packages: { '': { name: 'farm', dependencies: { absent: '1.0.0' } }, 'node_modules/absent': { version: '1.0.0' } }
    }))
    write('package.json', JSON.stringify({ name: 'farm', version: '0.1.0', dependencies: { absent: '1.0.0' } }))
    const npm = fs.realpathSync(spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim())
    tool('npm', `exec '${process.execPath}' '${npm}' "$@"`)
    const run = setup({ env: { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: path.join(clone, 'npm-cache') } })
    expect(run.lines[0]).toBe(`farm: npm install (${path.basename(clone)})`)
    expectStop({ ...run, lines: run.lines.slice(1) }, /no network, and packages that npm/, /connect and run this again/)
  })

  test('no network, and crates that are not in the cache of cargo', () => {
    write('build-fails-with', 'error: failed to download from a registry\nCaused by: [6] Could not resolve hostname')
    const run = setup()
    expect(run.lines[0]).toBe('farm: building the addon')
    expectStop({ ...run, lines: run.lines.slice(1), builds: 0 }, /no network, and crates that cargo/, /connect and run this again/)
  })
})

describe('only what is needed is done', () => {
  test('a second run builds nothing, and needs no cargo', () => {
    expect(setup()).toMatchObject({ status: 0, builds: 1 })
    fs.rmSync(path.join(tools, 'cargo'))
    expect(setup()).toMatchObject({ status: 0, builds: 1, stderr: '' })
  })

  test("V8's code is kept each time; where that fails, farm only starts later", () => {
    write('scripts/code-cache.mjs', "import fs from 'node:fs'; export async function makeCodeCache() { fs.appendFileSync('kept', 'x') }")
    setup()
    setup()
    expect(fs.readFileSync(path.join(clone, 'kept'), 'utf8')).toBe('xx')
    write('scripts/code-cache.mjs', "export async function makeCodeCache() { throw new Error('read-only') }")
    expect(setup()).toMatchObject({ status: 0, lines: [expect.stringMatching(/start some milliseconds later \(read-only\)/)] })
  })

  test('--tools insists on cargo even then', () => {
    setup()
    fs.rmSync(path.join(tools, 'cargo'))
    expect(setup({ args: ['--tools'] })).toMatchObject({ status: 1, builds: 1 })
  })

  test.each([
    ['a changed source', () => write('src/lib.rs', '// changed\n')],
    ['a new source', () => write('crates/engine/src/lib.rs', '')],
    ['a changed manifest', () => write('Cargo.toml', '[workspace.package]\nrust-version = "1.88"\n# more\n')],
    ['a changed lock file', () => write('Cargo.lock', 'version = 4\n')],
    ['another version of the package', () => write('package.json', JSON.stringify({ name: 'farm', version: '0.2.0', napi: {} }))],
    ['a binary that is gone', () => fs.rmSync(path.join(clone, 'farm.linux-x64-gnu.node'))],
    ['a loader that is gone', () => fs.rmSync(path.join(clone, 'native.js'))]
  ])('%s is built again', (_, change) => {
    setup()
    change()
    expect(setup().builds).toBe(2)
    expect(setup().builds).toBe(2)
  })

  test.each([
    ['a source that is only touched', () => fs.utimesSync(path.join(clone, 'src/lib.rs'), new Date(), new Date())],
    ['a changed test of a crate', () => write('crates/engine/tests/pool.rs', '// changed\n')]
  ])('%s is not built again', (_, change) => {
    setup()
    change()
    expect(setup().builds).toBe(1)
  })

  test('a build that fails is not taken for done, and its output is shown', () => {
    write('build-fails-with', 'error[E0308]: mismatched types')
    const run = setup()
    expect(run.status).toBe(1)
    expect(run.stderr).toMatch(/E0308/)
    expect(run.lines.at(-2)).toMatch(/^found: the build failed with exit code 101/)
    fs.rmSync(path.join(clone, 'build-fails-with'))
    expect(setup()).toMatchObject({ status: 0, builds: 2 })
  })

  test('packages are installed when the lock file names another version, also in a folder of their own', () => {
    tool('npm', 'echo "$PWD $*" >> "$HOME/npm-runs"')
    const lock = (version) => JSON.stringify({ packages: { '': {}, 'node_modules/one': { version }, 'node_modules/other': { version, optional: true } } })
    const present = (version) => JSON.stringify({ packages: { 'node_modules/one': { version } } })
    write('package-lock.json', lock('1.0.0'))
    write('node_modules/.package-lock.json', present('1.0.0'))
    write('bench/package-lock.json', lock('1.0.0'))
    setup({ args: ['--also=bench'] })
    const runs = () => fs.readFileSync(path.join(clone, 'npm-runs'), 'utf8').trim().split('\n')
    expect(runs()).toEqual([expect.stringMatching(/bench install .*--ignore-scripts/)])
    write('package-lock.json', lock('1.0.1'))
    setup()
    expect(runs()).toHaveLength(2)
    expect(runs()[1]).not.toMatch(/bench install/)
  })

  test('--prepare leaves the packages alone, because npm is busy with them', () => {
    fs.rmSync(path.join(clone, 'node_modules', '.package-lock.json'))
    expect(setup({ args: ['--prepare'] })).toMatchObject({ status: 0, builds: 1 })
  })

  test('without the dev dependencies the missing tool is named', () => {
    fs.rmSync(path.join(clone, 'node_modules', '@napi-rs'), { recursive: true })
    expectStop(setup({ args: ['--prepare'] }), /no @napi-rs\/cli in node_modules$/, /npm install --include=dev$/)
  })
})

test.each(['package-lock.json', 'bench/package-lock.json'])('%s is one that `npm ci` takes; else: node scripts/prune-lock.mjs', (name) => {
  const script = `
    import { readFileSync } from 'node:fs'
    import { lackingOptionals } from ${JSON.stringify(path.join(__dirname, '..', '..', 'scripts', 'setup', 'packages.mjs'))}
    console.log(JSON.stringify(lackingOptionals(JSON.parse(readFileSync(${JSON.stringify(path.join(__dirname, '..', '..', name))}, 'utf8')).packages)))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([])
})

test('each command that runs farm sets up first what a clean clone lacks', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  // These set up by themselves, build, or run cargo alone.
  const others = ['build', 'check', 'cross-check', 'loom', 'loom:mutations', 'sanitize', 'test']
  const without = Object.keys(scripts).filter((name) => !scripts[name].startsWith('node scripts/setup.mjs'))
  expect(without.sort()).toEqual(others)
})
