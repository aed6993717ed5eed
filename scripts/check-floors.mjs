// Refuses what the tree must not hold: imports that climb a floor, circles, the operating system or unsafe
// outside their rooms, a hand-written face that a build overwrote, names and sizes against the rules.
// The rules are data: scripts/floors/table.mjs.
//
//   node scripts/check-floors.mjs [folder]
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSources } from './floors/files.mjs'
import { checkJavaScript } from './floors/javascript.mjs'
import { checkRooms } from './floors/rooms.mjs'
import { checkRust } from './floors/rust.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(process.argv[2] ?? path.dirname(here))

const files = readSources(root)
if (files.length === 0) {
  console.error(`check-floors: no sources in ${root}; name the folder of the repository`)
  process.exit(1)
}

const findings = [...checkJavaScript(files), ...checkRust(files), ...checkRooms(files)]
findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
// One `use` with many names in it breaks one rule once.
const lines = new Set(findings.map(({ file, line, message }) => `${file}:${line}: ${message}`))
for (const line of lines) console.error(line)

console.log(`floors: ${files.length} files, ${lines.size} against the rules`)
if (lines.size > 0) process.exitCode = 1
