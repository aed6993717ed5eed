// The files of the code cache; their form: lib/worker/entry.js.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const { codeFile, readKept, spotSum } = createRequire(import.meta.url)('../../lib/worker/entry.js')
const lib = fileURLToPath(new URL('../../lib', import.meta.url))

/** Whose V8 takes the place of a file that was moved from its code. */
const PLACE_FROM = 22

/** @param {'farm' | 'worker'} side @param {[string, Uint8Array][]} codes by file of lib/ */
export function write(side, codes) {
  const parts = []
  const files = {}
  let length = 0
  for (const [name, code] of codes) {
    const file = path.join(lib, `${name}.js`)
    const text = readFileSync(file)
    files[name] = [length, text.length, statSync(file).mtimeMs, code.length]
    parts.push(text, code)
    length += text.length + code.length
  }
  const place = Number(process.versions.node.split('.')[0]) < PLACE_FROM ? lib : null
  const body = Buffer.concat(parts)
  const table = Buffer.from(JSON.stringify({ node: statSync(process.execPath).size, place, length, sum: spotSum(body, 0), files }))
  const head = Buffer.alloc(4)
  head.writeUInt32LE(table.length)
  const kept = codeFile(side)
  mkdirSync(path.dirname(kept), { recursive: true })
  dropStale(path.dirname(kept))
  // Whole or not at all, for whoever loads it meanwhile or writes one, and when the power fails.
  const fresh = `${kept}.${process.pid}`
  writeFileSync(fresh, Buffer.concat([head, table, body]), { flush: true })
  renameSync(fresh, kept)
}

/** @param {'farm' | 'worker'} side */
export function isFresh(side) {
  return isOf(statSync(process.execPath).size, codeFile(side))
}

/** Those of other Nodes go when the texts have changed since. */
function dropStale(folder) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name)
    if (!name.endsWith('.bin') || !isOf(null, file)) rmSync(file, { force: true })
  }
}

/** @param {number | null} binary the size of the Node it has to be for @param {string} file */
function isOf(binary, file) {
  try {
    const { bytes, start, node, place, files } = readKept(file)
    if ((binary !== null && node !== binary) || (place !== null && place !== lib)) return false
    return Object.entries(files).every(([name, [at, length, time]]) => {
      const source = path.join(lib, `${name}.js`)
      return statSync(source).mtimeMs === time && bytes.subarray(start + at, start + at + length).equals(readFileSync(source))
    })
  } catch {
    return false
  }
}
