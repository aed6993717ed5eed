// Packs the package and uses it as a stranger would: the tarball is installed without install scripts and
// without cargo on the PATH into an empty CommonJS, an ES-module and a TypeScript project, and the README's
// first example runs in each of them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { exampleOf } from './packed/example.mjs'
import { projects } from './packed/projects.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const temp = mkdtempSync(path.join(os.tmpdir(), 'farm-pack-'))
let passed = 0
let failed = 0
try {
  const tarball = pack()
  test('the tarball holds the addon, its loader and the types', () => checkContents(tarball))
  const example = exampleOf(path.join(root, 'README.md'))
  for (const project of projects) test(project.name, () => use(tarball, project, example))
} finally {
  rmSync(temp, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
if (failed > 0) process.exitCode = 1

function test(name, body) {
  try {
    body()
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}\n${error.message}`)
  }
}

function pack() {
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', temp], root, process.env)
  const tarball = readdirSync(temp).find((name) => name.endsWith('.tgz'))
  if (!tarball) throw new Error('npm pack wrote no tarball')
  return path.join(temp, tarball)
}

function checkContents(tarball) {
  const listed = run('tar', ['-tzf', tarball], temp, process.env).split('\n')
  const needed = [/^package\/farm\..*\.node$/, /^package\/farm-guard\.[^/]+$/, /^package\/native\.js$/, /^package\/native\.d\.ts$/, /^package\/index\.js$/,
    /^package\/index\.d\.ts$/, /^package\/worker\.d\.ts$/, /^package\/lib\/worker\/index\.js$/, /^package\/bin\/farm\.js$/, /^package\/LICENSE$/]
  const missing = needed.filter((pattern) => !listed.some((name) => pattern.test(name)))
  const foreign = listed.filter((name) => /^package\/(src|crates|__test__|bench|scripts|target)\//.test(name))
  if (missing.length > 0) throw new Error(`missing in the tarball: ${missing.join(' ')}; build first (npm run build)`)
  if (foreign.length > 0) throw new Error(`in the tarball without a use there: ${foreign.join(' ')}`)
}

function use(tarball, project, example) {
  const dir = path.join(temp, project.name.replace(/\W+/g, '-'))
  mkdirSync(dir)
  const env = { ...process.env, PATH: pathWithoutCargo(), NODE_PATH: '' }
  writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ name: 'uses-farm', private: true, ...project.manifest }))
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', tarball]
  run('npm', install, dir, env)
  for (const [name, text] of Object.entries(project.files(example, root))) writeFileSync(path.join(dir, name), text)
  let output = ''
  for (const args of project.commands(root)) output = run(process.execPath, args, dir, env)
  expectOutput(output, example)
}

function expectOutput(output, example) {
  if (output.trim() === '') throw new Error('the example printed nothing')
  if (example.prints !== null && !output.includes(example.prints)) {
    throw new Error(`the example printed ${JSON.stringify(output)}, not ${JSON.stringify(example.prints)}`)
  }
}

// Folders with a cargo or rustc in them go, except the one that Node itself lives in.
function pathWithoutCargo() {
  const node = path.dirname(process.execPath)
  const kept = process.env.PATH.split(path.delimiter).filter((dir) => !['cargo', 'rustc'].some((tool) => existsSync(path.join(dir, tool))))
  return [...new Set([node, ...kept])].join(path.delimiter)
}

function run(command, args, cwd, env) {
  const ended = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 120_000 })
  if (ended.error) throw ended.error
  if (ended.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${ended.status ?? ended.signal}\n${ended.stdout}${ended.stderr}`)
  }
  return ended.stdout
}
