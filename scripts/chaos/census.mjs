// What this process holds, and the processes that came from it.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Pids of other living processes that have inherited this variable. @param {string} name `NAME=value` */
export function marked(name) {
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => {
    return pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(name)
  })
}

/** Children that nobody has reaped. */
export function zombies() {
  const children = readdirSync('/proc/self/task').flatMap((thread) => read(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean))
  return children.map((pid) => read(`/proc/${pid}/stat`).split(' ', 3).join(' ')).filter((state) => state.endsWith(' Z'))
}

/** All of libuv's threads exist after this, so that none of them is taken for a leak. */
export async function warmUp() {
  await Promise.all(Array.from({ length: 16 }, () => readFile('/proc/self/stat')))
}

/** @typedef {{ descriptors: number, threads: number, segments: number, bytes: number }} Holdings */

/** What is held when all garbage is gone. @returns {Promise<Holdings>} */
export async function holdings() {
  for (let turn = 0; turn < 4; turn++) {
    collect()
    await pause(10)
  }
  return holdingsNow()
}

/** @returns {Holdings} */
export function holdingsNow() {
  const [, resident, shared] = read('/proc/self/statm').split(' ').map(Number)
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    segments: read('/proc/self/maps').split('\n').filter((line) => /memfd:farm|\/#\d+ \(deleted\)$/.test(line)).length,
    // V8 gives the pages of its own heap back when it likes.
    bytes: (resident - shared) * 4096 - process.memoryUsage().heapTotal
  }
}

/** What the descriptors are, with the number of each kind. */
export function descriptorNames() {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const fd of readdirSync('/proc/self/fd')) {
    let name = 'the listing'
    try {
      name = readlinkSync(`/proc/self/fd/${fd}`).replace(/\[\d+\]/, '')
    } catch {
      // Closed with the listing itself.
    }
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).sort()
}

/** The largest mappings, for whoever has to find out who holds the memory. */
export function largestMappings() {
  const mappings = read('/proc/self/smaps').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).map((text) => {
    return { name: text.split('\n')[0], kib: Number(/^Private_Dirty: +(\d+)/m.exec(text)?.[1] ?? 0) }
  })
  return mappings.sort((a, b) => b.kib - a.kib).slice(0, 8).map(({ name, kib }) => `${kib} KiB ${name}`)
}

function read(file) {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // It ended between the listing and the reading.
    return ''
  }
}
