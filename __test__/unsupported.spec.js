'use strict'

const { execFileSync } = require('node:child_process')
const { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { createService } = require('..')
const { addonFor } = require('../lib/native-addon')
const { FarmError } = require('../lib/errors')

const root = path.dirname(__dirname)
const here = { platform: 'linux', arch: 'x64', versions: process.versions }
// What is loaded here fits, so its number is that of the JavaScript too.
const PROTOCOL = require('../native.js').protocol()
const supported = { protocol: () => PROTOCOL, isSupported: () => true }

function refusal(load, machine) {
  try {
    addonFor(load, machine)
  } catch (error) {
    return error
  }
  return undefined
}

test('on Linux x64 and arm64 the addon is what the loader gives', () => {
  expect(addonFor(() => supported, here)).toBe(supported)
  expect(addonFor(() => supported, { ...here, arch: 'arm64' })).toBe(supported)
})

test.each([
  ['macOS', { ...here, platform: 'darwin', arch: 'arm64' }],
  ['Windows', { ...here, platform: 'win32' }],
  ['another processor', { ...here, arch: 'riscv64' }],
])('%s is named, and the loader is not asked', (_name, machine) => {
  const load = jest.fn()
  const error = refusal(load, machine)
  expect(error).toBeInstanceOf(FarmError)
  expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'platform', platform: machine.platform, arch: machine.arch, kernel: os.release() })
  expect(error.message).toContain(`platform ${machine.platform}, arch ${machine.arch}`)
  expect(error.message).toContain(`kernel ${os.release()}`)
  expect(load).not.toHaveBeenCalled()
})

test.each([
  ['Bun', { bun: '1.4.5' }],
  ['Deno', { deno: '2.9.6' }],
])('%s is named before the addon touches its event loop', (name, versions) => {
  const load = jest.fn()
  const error = refusal(load, { ...here, versions: { ...process.versions, ...versions } })
  expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'runtime' })
  expect(error.message).toMatch(`does not run on ${name} yet`)
  expect(load).not.toHaveBeenCalled()
})

test('an addon that knows no way on this system says so', () => {
  expect(refusal(() => ({ ...supported, isSupported: () => false }), here)).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'platform' })
})

test.each([
  ['a later build', { ...supported, protocol: () => 999 }, 'its binary 999'],
  ['a build from before there was a number', { isSupported: () => true }, 'its binary an older one'],
])('a binary of %s is refused with both numbers and the way out', (_name, addon, named) => {
  const error = refusal(() => addon, here)
  expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'binary' })
  expect(error.message).toContain(`speaks protocol ${PROTOCOL}, ${named}`)
  expect(error.message).toContain('npm run build')
})

test('a binary that the system refuses is an error with the words of the system', () => {
  const refused = Object.assign(new Error("version `GLIBC_2.99' not found"), { code: 'ERR_DLOPEN_FAILED' })
  const error = refusal(() => { throw new Error('Cannot find native binding', { cause: new Error('one way', { cause: refused }) }) }, here)
  expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'binary' })
  expect(error.message).toContain("GLIBC_2.99' not found")
  expect(error.message).toContain('npm run build')
})

test('a system that has nothing left for a farm is named by an error of farm', () => {
  const program = `
    const fs = require('node:fs');
    const { WorkerFarm } = require(${JSON.stringify(root)});
    const open = [];
    try { for (;;) open.push(fs.openSync('/dev/null')); } catch {}
    let thrown;
    try { new WorkerFarm(${JSON.stringify(__filename)}); } catch (error) { thrown = error; }
    for (const each of open) fs.closeSync(each);
    console.log(JSON.stringify({ name: thrown.name, code: thrown.code, reason: thrown.reason, message: thrown.message }));`
  const error = JSON.parse(execFileSync('/bin/sh', ['-c', 'ulimit -n 128; exec "$0" -e "$1"', process.execPath, program], { encoding: 'utf8' }))
  expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_START', reason: 'spawn', message: expect.stringContaining('Too many open files') })
})

test('a farm whose loop cannot be polled is refused, and its native side goes', () => {
  const { NativeFarm } = require('../native.js')
  const connect = jest.spyOn(NativeFarm.prototype, 'connect').mockReturnValue(false)
  const destroy = jest.spyOn(NativeFarm.prototype, 'destroy')
  try {
    expect(() => createService(require.resolve('./fixtures/modules/many.js'))).toThrow(expect.objectContaining({ code: 'ERR_FARM_UNSUPPORTED', reason: 'runtime' }))
    expect(destroy).toHaveBeenCalledTimes(1)
  } finally {
    connect.mockRestore()
    destroy.mockRestore()
  }
})

test('the guard of each system that is built for is written out, for tools that gather the files of a program', () => {
  const { IN_PACKAGE } = require('../lib/guard-program')
  const names = require('../package.json').napi.targets.map((target) => {
    const [arch, , , libc] = target.split('-')
    return path.join(root, `farm-guard.linux-${{ x86_64: 'x64', aarch64: 'arm64' }[arch]}-${libc}`)
  })
  expect([...IN_PACKAGE].sort()).toEqual(names.sort())
})

describe('from an empty process', () => {
  let copy

  beforeAll(() => {
    copy = mkdtempSync(path.join(os.tmpdir(), 'farm-unsupported-'))
    for (const name of ['index.js', 'native.js', 'package.json']) copyFileSync(path.join(root, name), path.join(copy, name))
    cpSync(path.join(root, 'lib'), path.join(copy, 'lib'), { recursive: true })
  })

  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  function requiring(folder, ...preload) {
    const script = `try { require(${JSON.stringify(folder)}); console.log('{}') } catch ({ name, code, message, reason, platform, arch, libc, kernel, stack }) {
      console.log(JSON.stringify({ name, code, message, reason, platform, arch, libc, kernel }))
    }`
    return JSON.parse(execFileSync(process.execPath, [...preload, '-e', script], { encoding: 'utf8' }))
  }

  test('the package without a binary names the system and the command that builds one', () => {
    const error = requiring(copy)
    expect(error).toMatchObject({ name: 'FarmError', code: 'ERR_FARM_UNSUPPORTED', reason: 'binary', platform: process.platform, arch: process.arch, kernel: os.release() })
    expect(error.libc).toMatch(/^(glibc \d|musl)/)
    expect(error.message).toContain(`platform ${process.platform}, arch ${process.arch}, libc ${error.libc}, kernel ${os.release()}`)
    // Here the package is as `npm pack` makes it; a clone has the sources.
    expect(error.message).toContain('run `npm install` and `npm pack` in a clone on a system like this one')
    writeFileSync(path.join(copy, 'Cargo.toml'), '')
    expect(requiring(copy).message).toContain(`Build it with \`npm run build\` in ${copy}`)
    rmSync(path.join(copy, 'Cargo.toml'))
  })

  test('a bundle, which lacks the files that workers run, is told to leave farm out', () => {
    const bundle = path.join(copy, 'bundle')
    cpSync(path.join(copy, 'lib'), path.join(bundle, 'lib'), { recursive: true, filter: (source) => !source.endsWith('entry.js') })
    // A bundle has the code of all files that are required, under another name.
    copyFileSync(path.join(copy, 'lib', 'worker', 'entry.js'), path.join(bundle, 'module-1.js'))
    writeFileSync(path.join(bundle, 'index.js'), readFileSync(path.join(copy, 'index.js'), 'utf8').replace('./lib/worker/entry', './module-1'))
    const error = requiring(bundle)
    expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'bundled', message: expect.stringContaining('--external:farm') })
    expect(error.message).toContain(path.join(bundle, 'lib'))
    // Some bundlers copy the files that paths name, beside the bundle.
    copyFileSync(path.join(copy, 'lib', 'native-addon.js'), path.join(bundle, 'lib', 'module-2.js'))
    const farm = path.join(bundle, 'lib', 'farm.js')
    writeFileSync(farm, readFileSync(farm, 'utf8').replace('./native-addon', './module-2'))
    copyFileSync(path.join(copy, 'lib', 'worker', 'entry.js'), path.join(bundle, 'lib', 'worker', 'entry.js'))
    expect(requiring(bundle)).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'bundled' })
  })

  test('a process that loads no native addons says so, and nothing of another binary', () => {
    const error = requiring(root, '--no-addons')
    expect(error).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'binary', message: expect.stringMatching(/native addons are disabled here.*--allow-addons/) })
    expect(error.message).not.toContain('npm run build')
  })

  test('another platform is refused when the package is required', () => {
    const preload = path.join(copy, 'elsewhere.cjs')
    writeFileSync(preload, "Object.defineProperty(process, 'platform', { value: 'darwin' })\n")
    expect(requiring(root, '--require', preload)).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'platform', platform: 'darwin', libc: null })
  })

  test('and as often as it is required', () => {
    const preload = path.join(copy, 'elsewhere-first.cjs')
    writeFileSync(preload, `Object.defineProperty(process, 'platform', { value: 'darwin' })\ntry { require(${JSON.stringify(root)}) } catch {}\n`)
    expect(requiring(root, '--require', preload)).toMatchObject({ code: 'ERR_FARM_UNSUPPORTED', reason: 'platform', platform: 'darwin' })
  })

  test('here it is not refused', () => {
    expect(requiring(root)).toEqual({})
  })
})
