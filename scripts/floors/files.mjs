// The files of the tree, and the patterns of the table.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { generated, skippedFolders } from './table.mjs'

/**
 * @typedef {{ name: string, text: string }} SourceFile name: from the root, with forward slashes
 * @typedef {{ file: string, line: number, message: string }} Finding
 */

const sources = /\.(rs|js|mjs|cjs|ts|mts|cts)$|(^|\/)Cargo\.toml$/

/** All sources under `root`, sorted. @param {string} root @returns {SourceFile[]} */
export function readSources(root) {
  /** @type {SourceFile[]} */
  const files = []
  walk(root, '', files)
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function walk(root, dir, files) {
  for (const entry of readdirSync(path.join(root, dir), { withFileTypes: true })) {
    const name = dir === '' ? entry.name : `${dir}/${entry.name}`
    if (entry.isDirectory()) {
      if (!skippedFolders.includes(entry.name)) walk(root, name, files)
    } else if (entry.isFile() && sources.test(name) && !generated.includes(name)) {
      files.push({ name, text: readFileSync(path.join(root, name), 'utf8') })
    }
  }
}

const compiled = new Map()

/** @param {string} name @param {string[]} patterns */
export function matches(name, patterns) {
  return patterns.some((pattern) => {
    if (!compiled.has(pattern)) compiled.set(pattern, toRegExp(pattern))
    return compiled.get(pattern).test(name)
  })
}

function toRegExp(pattern) {
  const source = pattern.replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, names) => `(?:${names.split(',').join('|')})`)
    .replace(/\*\*\/|\*\*|\*/g, (star) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[star])
  return new RegExp(`^${source}$`)
}

/** The line, from 1, of a position in a text. @param {string} text @param {number} index */
export function lineAt(text, index) {
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < index; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** The text with every character but line ends of `from..to` made a space. */
export function blank(text, from, to) {
  return text.slice(0, from) + text.slice(from, to).replace(/[^\n]/g, ' ') + text.slice(to)
}
