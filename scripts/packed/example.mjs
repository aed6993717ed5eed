// Takes the first example out of the README: the program that requires farm and the modules it names.
// A line `// name.js` starts a file; `// prints …` behind a line says what the program must print.
import { existsSync, readFileSync } from 'node:fs'

const fallback = `
// worker.js
exports.add = (a, b) => a + b

// main.js
const { createService } = require('farm')
const service = createService('./worker.js')
service.add(1, 2).then(console.log) // prints 3
`

/**
 * @typedef {{ main: string, modules: Record<string, string>, prints: string | null }} Example
 */

/** @param {string} readme the file @returns {Example} */
export function exampleOf(readme) {
  if (!existsSync(readme)) return parse([fallback], 'the built-in example')
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```(?:js|javascript|cjs)\s*\n([^]*?)^```/gm)].map((match) => match[1])
  if (blocks.length === 0) throw new Error('README.md has no js code block; its first screen must show the five lines')
  return parse(blocks, 'README.md')
}

/** @param {string[]} blocks @param {string} where */
function parse(blocks, where) {
  /** @type {Record<string, string>} */
  const modules = {}
  for (const block of blocks) {
    for (const { name, text } of filesOf(block)) {
      if (!/require\(['"]farm['"]\)/.test(text)) {
        if (name !== null) modules[name] ??= text
        continue
      }
      const missing = [...text.matchAll(/['"]\.\/([\w./-]+)['"]/g)].map((match) => match[1]).filter((file) => !modules[file])
      if (missing.length > 0) {
        throw new Error(`${where}: the first example names ./${missing[0]}, but no line "// ${missing[0]}" above it starts that file`)
      }
      return { main: text, modules, prints: /\/\/ (?:prints|logs|->|→)\s*(.+?)\s*$/m.exec(text)?.[1] ?? null }
    }
  }
  throw new Error(`${where}: no js code block requires 'farm'`)
}

function filesOf(block) {
  const files = []
  let current = { name: null, lines: [] }
  for (const line of block.split('\n')) {
    const name = /^\/\/ ([\w-]+\.(?:c|m)?js)\b/.exec(line)?.[1]
    if (name) {
      files.push(current)
      current = { name, lines: [] }
    }
    current.lines.push(line)
  }
  files.push(current)
  return files.map(({ name, lines }) => ({ name, text: lines.join('\n') })).filter(({ text }) => text.trim() !== '')
}
