// `farm map` beside xargs and beside one process, on the same files; then many lines through it, with its memory.
//   npm run bench:map            the whole of it: 2000 files, 10 million lines
//   npm run bench:map -- --small a tenth
import { spawn } from 'node:child_process'
import { closeSync, createReadStream, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compileFunction } from 'node:vm'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '..', '..')
const farm = path.join(root, 'bin', 'farm.js')
const worker = path.join(here, 'worker.cjs')
const script = path.join(here, 'script.cjs')
const { values } = parseArgs({ options: { small: { type: 'boolean', default: false } } })
const scale = values.small ? 0.1 : 1
const jobs = '2'

const temp = mkdtempSync(path.join(os.tmpdir(), 'farm-bench-map-'))
try {
  console.log(`Node ${process.version}, ${os.availableParallelism()} CPUs, ${jobs} workers${values.small ? ', a tenth of the work' : ''}`)
  await trivialFiles(2000 * scale)
  await terserWork(10_000_000 * scale)
  await manyLines(10_000_000 * scale)
} finally {
  rmSync(temp, { recursive: true, force: true })
}

async function trivialFiles(count) {
  const folder = path.join(temp, 'files')
  mkdirSync(folder)
  const names = Array.from({ length: count }, (_, i) => path.join(folder, `${i}.txt`))
  for (const name of names) writeFileSync(name, `${'x'.repeat(99)}\n`.repeat(102))
  const list = names.join('\0')
  const one = await timed('xargs', ['-0', '-P', jobs, '-n', '1', process.execPath, script, 'lines'], { input: list })
  const twenty = await timed('xargs', ['-0', '-P', jobs, '-n', '20', process.execPath, script, 'lines'], { input: list })
  const ours = await timed(process.execPath, [farm, 'map', '--quiet', '-j', jobs, '-0', '--method', 'lines', worker], { input: list })
  const rate = ({ ms }) => Math.round((count * 1000) / ms)
  console.log(`\n${count} files of 10 kB, counting lines; files/s, start included`)
  console.log(`  farm map          ${rate(ours)}`)
  console.log(`  xargs -P${jobs} -n1      ${rate(one)}   farm map is ${(one.ms / ours.ms).toFixed(1)} times as fast (wanted: 20)`)
  console.log(`  xargs -P${jobs} -n20     ${rate(twenty)}   farm map is ${(twenty.ms / ours.ms).toFixed(1)} times as fast (wanted: 3)`)
}

/** A process alone is given a second core by V8 itself, which compiles and collects garbage on it: so also with one core for each. */
async function terserWork(bytes) {
  const files = sources(bytes)
  const list = files.join('\0')
  const alone = await timed(process.execPath, [script, 'minify', ...files])
  const pinned = await timed('taskset', ['-c', '0', process.execPath, script, 'minify', ...files])
  const ours = await timed(process.execPath, [farm, 'map', '--json', '-j', jobs, '-0', '--method', 'minify', worker], { input: list })
  const { bytesIn, workersCpuSeconds } = JSON.parse(ours.said.trimEnd().split('\n').at(-1))
  const cpu = (/** @type {number} */ ms) => `CPU time ${seconds(ms)}`
  console.log(`\nterser over ${files.length} sources of installed packages (${mb(bytesIn)}), start included`)
  console.log(`  one process              ${seconds(alone.ms)}, ${cpu(alone.cpuMs)}`)
  console.log(`  one process on one core  ${seconds(pinned.ms)}, ${cpu(pinned.cpuMs)}`)
  console.log(`  farm map                 ${seconds(ours.ms)}, ${cpu(ours.cpuMs + workersCpuSeconds * 1000)}`)
  console.log(`  farm map is ${(alone.ms / ours.ms).toFixed(2)} times as fast as one process (wanted: 1.8), ${(pinned.ms / ours.ms).toFixed(2)} times as fast as on one core`)
}

async function manyLines(count) {
  const file = path.join(temp, 'lines')
  const fd = openSync(file, 'w')
  for (let from = 0; from < count; from += 100_000) {
    writeSync(fd, Array.from({ length: Math.min(100_000, count - from) }, (_, i) => `line ${from + i}\n`).join(''))
  }
  closeSync(fd)
  /** @type {number[]} */
  const memory = []
  const ours = await timed(process.execPath, [farm, 'map', '--json', '-j', jobs, '--lines', '--method', 'echo', worker], {
    inputFile: file,
    every: (pid) => memory.push(residentBytes(pid))
  })
  const facts = JSON.parse(ours.said.trimEnd().split('\n').at(-1))
  if (facts.done !== count) throw new Error(`${facts.done} of ${count} lines were done`)
  const steady = memory.slice(Math.floor(memory.length / 5)).filter(Boolean)
  const [least, most] = [Math.min(...steady), Math.max(...steady)]
  console.log(`\n${count} short lines through a function that gives them back`)
  console.log(`  ${Math.round((count * 1000) / ours.ms)} lines/s (wanted: 150000); parent's CPU ${(ours.cpuMs * 1000 / count).toFixed(2)} µs per line`)
  console.log(`  memory of the parent after a fifth of the time: ${mb(least)} to ${mb(most)} (wanted: no more than 40 MB apart)`)
}

/** Sources of installed packages, evenly out of all, about so many bytes. */
function sources(bytes) {
  const folder = path.join(root, 'node_modules')
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js') && !entry.name.endsWith('.min.js'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => { const { size } = statSync(file); return size > 1000 && size < 200_000 })
    .sort()
  const total = all.reduce((sum, file) => sum + statSync(file).size, 0)
  const part = Math.min(1, bytes / total)
  const picked = all.filter((_, at) => Math.floor((at + 1) * part) > Math.floor(at * part))
  // What terser cannot read, such as a module that is a template, is no measure of anything.
  return picked.filter((file) => isScript(readFileSync(file, 'utf8')))
}

function isScript(text) {
  try {
    return Boolean(compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname']))
  } catch {
    return false
  }
}

/** Runs a command to its end; its output is read and dropped. */
async function timed(command, args, { input = '', inputFile = undefined, every = undefined } = {}) {
  const began = performance.now()
  const child = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (bytes) => (said += bytes))
  child.stdout.resume()
  child.stdin.on('error', () => {})
  if (inputFile === undefined) child.stdin.end(input)
  else createReadStream(inputFile, { highWaterMark: 1 << 18 }).pipe(child.stdin)
  let cpuMs = 0
  const timer = setInterval(() => {
    cpuMs = cpuOf(child.pid) || cpuMs
    every?.(child.pid)
  }, 200)
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearInterval(timer)
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said.slice(0, 500)}`)
  return { ms: performance.now() - began, said, cpuMs }
}

function residentBytes(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}

/** ms, in ticks of 10. */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

function mb(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
