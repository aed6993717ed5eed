// What a test run must not leave: changes in the tree, a process started from it, a folder of ours among the
// temporary files, a cgroup. For .ci/run, where nothing else runs; beside other work it would report that.
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { groupsIn, own } from '../orphans/group.cjs'

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
// Only what is younger than the shell that runs .ci/run can come from it.
const since = startOf(process.ppid)
const left = [...changes(), ...processes(), ...folders(), ...groups()]
for (const line of left) console.error(`left behind: ${line}`)
if (left.length > 0) process.exitCode = 1

function changes() {
  const git = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  // A checkout without git (an archive) has no status to keep clean.
  if (git.error || git.status !== 0) return []
  return git.stdout.split('\n').filter(Boolean).map((line) => `in the tree: ${line}`)
}

/** Processes that carry the tree's path in their command, or are a Node that works in the tree. */
function processes() {
  const ancestors = new Set()
  for (let pid = process.pid; pid > 1 && !ancestors.has(pid); pid = parentOf(pid)) ancestors.add(pid)
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).flatMap((pid) => {
    if (ancestors.has(pid) || startOf(pid) < since) return []
    const command = read(`/proc/${pid}/cmdline`).replace(/\0/g, ' ').trim()
    const node = path.basename(link(pid, 'exe')).startsWith('node') && inTree(link(pid, 'cwd'))
    return node || command.includes(root + path.sep) ? [`process ${pid}: ${command.slice(0, 200)}`] : []
  })
}

/** Cgroups that tests or their farms have made. */
function groups() {
  return own().flatMap((folder) => groupsIn(folder).filter((name) => name.startsWith('farm-')).map((name) => `the cgroup ${path.join(folder, name)}`))
}

function inTree(folder) {
  return folder === root || folder.startsWith(root + path.sep)
}

/** When a process started, in ticks since the system did. */
function startOf(pid) {
  return Number(read(`/proc/${pid}/stat`).replace(/^.*\) /s, '').split(' ')[19])
}

function parentOf(pid) {
  return Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
}

function link(pid, name) {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return ''
  }
}

// A process may end between the listing and the reading.
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function folders() {
  const booted = Number(/^btime (\d+)/m.exec(read('/proc/stat'))?.[1] ?? 0)
  const started = (booted + Math.floor(since / 100)) * 1000
  return readdirSync(os.tmpdir()).filter((name) => name.startsWith('farm-')).flatMap((name) => {
    const stat = statSync(path.join(os.tmpdir(), name), { throwIfNoEntry: false })
    return stat && stat.ctimeMs >= started ? [`temporary folder ${name}`] : []
  })
}
