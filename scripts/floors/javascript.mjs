// The JavaScript rules: who imports whom, and that scripts need no package.
import { builtinModules } from 'node:module'
import path from 'node:path'
import { findCircles } from './circles.mjs'
import { lineAt, matches } from './files.mjs'
import { generated, jsRooms, withoutPackages } from './table.mjs'

// An ES module has no require of its own; where the word stands in one, it is text that is written somewhere.
const requireForm = /\brequire(?:\.resolve)?\s*\(\s*(['"])([^'"\n]+)\1\s*\)/g
const importForms = [
  /\bimport\s*\(\s*(['"])([^'"\n]+)\1\s*\)/g,
  /^\s*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*(['"])([^'"\n]+)\1/gm
]
const javascript = /\.(js|mjs|cjs)$/

/** @param {import('./files.mjs').SourceFile[]} files @returns {import('./files.mjs').Finding[]} */
export function checkJavaScript(files) {
  const names = new Set([...files.map((file) => file.name), ...generated, 'package.json'])
  const findings = []
  const edges = new Map()

  for (const file of files.filter(({ name }) => javascript.test(name))) {
    const room = roomOf(file.name)
    const imported = new Map()
    edges.set(file.name, imported)
    for (const { specifier, line } of importsOf(file)) {
      const target = resolve(file.name, specifier, names)
      if (target === null) {
        if (matches(file.name, withoutPackages) && !isBuiltin(specifier)) {
          findings.push({ file: file.name, line, message: `imports the package ${specifier}; scripts use Node's own modules only` })
        }
        continue
      }
      if (room && (!matches(target, room.imports) || matches(target, room.never ?? []))) {
        findings.push({ file: file.name, line, message: forbidden(room, target) })
      } else if (room && (roomOf(target)?.floor ?? 0) > room.floor) {
        findings.push({ file: file.name, line, message: `imports ${target}, upward: ${place(roomOf(target))} stands above ${place(room)}` })
      } else if (!imported.has(target)) {
        imported.set(target, line)
      }
    }
  }
  return [...findings, ...findCircles(edges, 'imports')]
}

function forbidden(room, target) {
  const except = room.never ? ` and never ${room.never.join(', ')}` : ''
  return `imports ${target}, but ${place(room)} may import only ${room.imports.join(', ')}${except}`
}

function place(room) {
  return `the room "${room.name}" (floor ${room.floor})`
}

function roomOf(name) {
  return jsRooms.find((room) => matches(name, room.files))
}

function isBuiltin(specifier) {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

/** Every import of a file. A comment is known by the start of its line, which is where ours stand. */
function importsOf({ name, text }) {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, (line) => line.replace(/[^\n]/g, ' '))
  const forms = name.endsWith('.mjs') && !/\bcreateRequire\b/.test(code) ? importForms : [requireForm, ...importForms]
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => ({
    specifier: match[2],
    line: lineAt(code, match.index + match[0].indexOf(match[1]))
  })))
}

/** The file of the repository that a specifier names, or null: then it is a package or a built-in. */
function resolve(from, specifier, names) {
  if (specifier === 'farm') return from.startsWith('lib/') || from === 'index.js' ? 'index.js' : null
  if (!/^\.\.?(\/|$)/.test(specifier)) return null
  const base = path.posix.join(path.posix.dirname(from), specifier).replace(/\/$/, '')
  const candidates = [base, `${base}.js`, `${base}.json`, base === '.' ? 'index.js' : `${base}/index.js`]
  return candidates.find((name) => names.has(name)) ?? base
}
