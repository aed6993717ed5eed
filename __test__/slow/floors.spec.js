'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const script = path.join(__dirname, '..', '..', 'scripts', 'check-floors.mjs')
let tree

// A small tree that keeps every rule; each test plants one thing in it.
const sound = {
  'index.js': "const { createService } = require('./lib/service')\nmodule.exports = { createService }\n",
  'index.d.ts': 'export function createService(source: string): any\n',
  'bin/farm.js': "require('../index.js')\n",
  'lib/service.js': "const { WorkerFarm } = require('./farm')\nconst { farmOptions } = require('./options')\n",
  'lib/native-addon.js': "const native = require('../native')\nrequire('./errors')\n",
  'lib/farm.js': "const { loadAddon } = require('./native-addon')\nconst { farmOptions } = require('./options')\n",
  'lib/options.js': "const { FarmError } = require('./errors')\n",
  'lib/errors.js': 'exports.FarmError = class extends Error {}\n',
  'lib/worker/bootstrap.js': "require('../../native.js')\nrequire('./loop')\n",
  'lib/worker/loop.js': "require('../errors')\n",
  'Cargo.toml': '[dependencies]\nfarm-engine.workspace = true\n',
  'src/lib.rs': 'use farm_engine::Farm;\nuse farm_transport::endpoint::Worker;\nuse napi::Env;\n',
  'crates/sys/src/lib.rs': '#[cfg(target_os = "linux")]\nmod linux;\npub fn map() { unsafe {} }\n',
  'crates/sys/src/linux.rs': '',
  'crates/transport/src/lib.rs': 'mod queue;\npub use queue::Queue;\nmod frame;\n',
  'crates/transport/src/queue.rs': 'use farm_sys::map;\npub struct Queue;\nfn f() { unsafe { map() } }\n',
  'crates/transport/src/frame.rs': 'use crate::Queue;\n',
  'crates/engine/src/lib.rs': '#![forbid(unsafe_code)]\nmod pool;\nmod process;\nmod supervisor;\n',
  'crates/engine/src/pool/mod.rs': 'mod tasks;\npub use tasks::Tasks;\n#[cfg(test)]\nmod tests { use crate::process::Child; }\n',
  'crates/engine/src/pool/tasks.rs': 'pub struct Tasks;\n',
  'crates/engine/src/process.rs': 'use farm_sys::map;\n// unsafe in a comment, and cfg(target_os = "linux") too\nconst A: &str = "unsafe";\n',
  'crates/engine/src/supervisor.rs': 'use crate::{pool::Tasks, process};\n'
}

beforeEach(() => {
  tree = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-floors-'))
  for (const [name, text] of Object.entries(sound)) plant(name, text)
})

afterEach(() => fs.rmSync(tree, { recursive: true, force: true }))

function plant(name, text) {
  const file = path.join(tree, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}

function check() {
  const run = spawnSync(process.execPath, [script, tree], { encoding: 'utf8' })
  return { status: run.status, findings: run.stderr.trim().split('\n').filter(Boolean) }
}

test('a tree that keeps the rules passes', () => {
  expect(check()).toEqual({ status: 0, findings: [] })
})

const add = (name, text) => () => plant(name, sound[name] + text)
const put = (name, text) => () => plant(name, text)

test.each([
  // Imports in JavaScript
  ['the face takes the loader', add('index.js', "require('./native')\n"), /^index\.js:3: imports native\.js, but/],
  ['a lower room takes the loader', add('lib/options.js', "require('../native.js')\n"), /^lib\/options\.js:2: imports native\.js/],
  ['the farm takes the loader', add('lib/farm.js', "require('../native')\n"), /^lib\/farm\.js:3: imports native\.js/],
  ['the service takes the loader', add('lib/service.js', "\nrequire('../native')\n"), /^lib\/service\.js:4: imports native\.js/],
  ['an import upward', add('lib/errors.js', "require('./service')\n"), /^lib\/errors\.js:2: imports lib\/service\.js, upward/],
  ['the farm takes the worker', add('lib/farm.js', "require('./worker/loop')\n"), /^lib\/farm\.js:3: imports lib\/worker\/loop\.js, but/],
  ['the worker takes the farm', add('lib/worker/loop.js', "const x = require('../farm')\n"), /^lib\/worker\/loop\.js:2: imports lib\/farm\.js/],
  ['the command line looks inside', add('bin/farm.js', "import('../lib/farm.js')\n"), /^bin\/farm\.js:2: imports lib\/farm\.js, but/],
  ['a drop-in looks inside', put('compat/piscina.mjs', "import { x } from '../lib/options.js'\n"), /^compat\/piscina\.mjs:1: imports lib\/options\.js/],
  ['a circle of files', add('lib/errors.js', "require('./options')\n"), /^lib\/(errors|options)\.js:\d: imports in a circle: lib\/(errors|options)\.js -> lib\/(errors|options)\.js -> /],
  ['a script with a package', put('scripts/pack.mjs', "import { x } from 'left-pad'\n"), /^scripts\/pack\.mjs:1: imports the package left-pad/],
  // Imports in Rust
  ['a crate upward', add('crates/sys/src/lib.rs', 'use farm_engine::Farm;\n'), /^crates\/sys\/src\/lib\.rs:4: names farm_engine, upward/],
  ['a crate upward, by path', add('crates/transport/src/frame.rs', 'fn f() { farm_engine::run() }\n'), /frame\.rs:2: names farm_engine, upward/],
  ['a crate upward, in its manifest', put('crates/sys/Cargo.toml', '[dependencies]\nfarm-transport = { path = "x" }\n'), /^crates\/sys\/Cargo\.toml:2: names farm_transport/],
  ['the addon past a floor', add('src/lib.rs', 'use farm_sys::map;\n'), /^src\/lib\.rs:4: names farm_sys, past a floor/],
  ['napi below the addon', add('crates/engine/src/process.rs', 'use napi::Env;\n'), /process\.rs:4: names napi; only the addon/],
  ['the pool takes the process', add('crates/engine/src/pool/tasks.rs', 'use crate::process::Child;\n'), /tasks\.rs:2: pool names farm_engine::process/],
  ['the pool takes it in a group', add('crates/engine/src/pool/tasks.rs', 'use crate::{\n  process::{self, Child},\n};\n'), /tasks\.rs:2: pool names farm_engine::process/],
  ['the pool takes it by super', add('crates/engine/src/pool/tasks.rs', 'use super::super::supervisor;\n'), /tasks\.rs:2: pool names farm_engine::supervisor/],
  ['the pool takes a crate', add('crates/engine/src/pool/tasks.rs', 'use farm_transport::Queue;\n'), /tasks\.rs:2: names farm_transport; farm_engine::pool may use nothing/],
  ['the process takes the pool', add('crates/engine/src/process.rs', 'fn f() { crate::pool::Tasks; }\n'), /process\.rs:4: process names farm_engine::pool/],
  ['a circle of modules', add('crates/transport/src/queue.rs', 'use crate::frame::Head;\n'), /modules in a circle: .*(frame\.rs -> .*queue\.rs|queue\.rs -> .*frame\.rs)/],
  // Rooms
  ['unsafe in the engine', add('crates/engine/src/process.rs', 'fn f() { unsafe { g() } }\n'), /process\.rs:4: unsafe outside its rooms/],
  ['unsafe beside its rooms in transport', add('crates/transport/src/frame.rs', 'unsafe impl Send for X {}\n'), /frame\.rs:2: unsafe outside/],
  ['unsafe in the addon without a mark', add('src/lib.rs', 'fn f() { unsafe { g() } }\n'), /^src\/lib\.rs:4: unsafe in a file without "unsafe room:/],
  ['an engine that does not forbid unsafe', put('crates/engine/src/lib.rs', 'mod pool;\n'), /lib\.rs:1: lacks #!\[forbid\(unsafe_code\)\]/],
  ['the system in the engine', add('crates/engine/src/process.rs', '#[cfg(target_os = "linux")]\nfn f() {}\n'), /process\.rs:4: asks for the operating system/],
  ['the system in a macro', add('src/lib.rs', 'fn f() -> bool { cfg!(not(windows)) }\n'), /^src\/lib\.rs:4: asks for/],
  ['the system in an attribute', add('crates/transport/src/frame.rs', '#[cfg_attr(unix, derive(Debug))]\nstruct X;\n'), /frame\.rs:2: asks for/],
  ['the system in a manifest', put('crates/engine/Cargo.toml', "[target.'cfg(unix)'.dependencies]\n"), /^crates\/engine\/Cargo\.toml:1: asks for/],
  // Names, sizes, the face
  ['a name that says nothing', put('lib/string-utils.js', ''), /^lib\/string-utils\.js:1: "utils" in a name/],
  ['a folder that says nothing', put('crates/engine/src/helpers/x.rs', ''), /helpers\/x\.rs:1: "helpers" in a name/],
  ['a name in another case', put('lib/taskList.js', ''), /^lib\/taskList\.js:1: .*kebab-case/],
  ['JavaScript past its size', put('lib/long.js', '//\n'.repeat(301)), /^lib\/long\.js:301: 301 lines, more than 300/],
  ['Rust past its size', put('crates/sys/src/long.rs', '//\n'.repeat(451)), /long\.rs:451: 451 lines, more than 450/],
  ['a loader over the face', put('index.js', '/* auto-generated by NAPI-RS */\n'), /^index\.js:1: holds generated text/],
  ['raw types over the face', put('index.d.ts', '/* eslint-disable */\nexport declare const __napiBindingTarget: string\n'), /^index\.d\.ts:2: holds generated text/]
])('%s is refused', (_, change, message) => {
  change()
  const { status, findings } = check()
  expect(findings).toEqual([expect.stringMatching(message)])
  expect(status).toBe(1)
})

test.each([
  ['unsafe under its mark in the addon', put('src/external.rs', '//! unsafe room: hands mapped memory to JavaScript\nfn f() { unsafe { g() } }\n')],
  ['unsafe in a test of a crate', put('crates/engine/tests/pool.rs', 'fn f() { unsafe { g() } }\n')],
  ['cfg(test) and cfg(loom) anywhere', add('crates/transport/src/frame.rs', '#[cfg(loom)]\nuse loom::thread;\n#[cfg(test)]\nmod tests { use super::*; }\n')],
  ['words of the system outside of cfg', add('crates/engine/src/process.rs', 'fn unix(windows: u8) {}\n#[cfg_attr(test, path = "unix")]\nmod x {}\n')],
  ['a long test', put('__test__/long.spec.js', '//\n'.repeat(999))],
  ['a lifetime and a quote', add('crates/transport/src/frame.rs', "fn f<'a>(x: &'a str) -> char { '\"' }\nfn g() -> &'static str { r#\"unsafe \"x\" \"# }\n")],
  ['a child that names its parent', add('crates/engine/src/pool/tasks.rs', 'use super::*;\n')]
])('%s is let through', (_, change) => {
  change()
  expect(check()).toEqual({ status: 0, findings: [] })
})
