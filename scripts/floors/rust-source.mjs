// Reads Rust as far as the rules need it: code without comments, strings and test modules, and the paths in it.
import { blank } from './files.mjs'

/** The same text with comments blanked; line numbers stay. @param {string} text */
export function withoutComments(text) {
  return strip(text, false)
}

/** The same text with comments and the insides of strings blanked. @param {string} text */
export function codeOnly(text) {
  return strip(text, true)
}

function strip(text, strings) {
  const out = []
  let i = 0
  const keep = (to) => { out.push(text.slice(i, to)); i = to }
  const drop = (to) => { out.push(text.slice(i, to).replace(/[^\n]/g, ' ')); i = to }
  while (i < text.length) {
    if (text.startsWith('//', i)) {
      const end = text.indexOf('\n', i)
      drop(end === -1 ? text.length : end)
    } else if (text.startsWith('/*', i)) {
      drop(blockEnd(text, i))
    } else {
      const literal = literalEnd(text, i)
      if (literal > i) (strings ? drop : keep)(literal)
      else keep(i + 1)
    }
  }
  return out.join('')
}

// Rust's block comments nest.
function blockEnd(text, start) {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    if (text.startsWith('/*', i)) { depth++; i++ } else if (text.startsWith('*/', i)) {
      i++
      if (--depth === 0) return i + 1
    }
  }
  return text.length
}

const literal = /b?"(?:[^"\\]|\\[^])*"|b?r(#*)"[^]*?"\1|b?'(?:[^'\\\n]|\\(?:x..|u\{[^}]*\}|.))'/y

function literalEnd(text, at) {
  if (!/[br"']/.test(text[at]) || /\w/.test(text[at - 1] ?? '')) {
    if (text[at] !== '"') return at
  }
  literal.lastIndex = at
  const match = literal.exec(text)
  return match ? at + match[0].length : at
}

/** The code without its `#[cfg(test)] mod … { … }` blocks: a test may look wherever it likes. @param {string} code */
export function withoutTests(code) {
  const head = /#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub\s+)?mod\s+\w+\s*\{/g
  let match
  while ((match = head.exec(code)) !== null) {
    code = blank(code, match.index, braceEnd(code, head.lastIndex))
  }
  return code
}

/** The position after the brace that closes the one before `from`. */
export function braceEnd(code, from) {
  let depth = 1
  for (let i = from; i < code.length; i++) {
    if (code[i] === '{') depth++
    else if (code[i] === '}' && --depth === 0) return i + 1
  }
  return code.length
}

/**
 * Every path in the code that starts at a crate or a module: `a::b::c`, and one for each leaf of a `use` tree.
 * @param {string} code
 * @returns {{ segments: string[], index: number, reexport: boolean }[]}
 */
export function pathsOf(code) {
  const paths = []
  let rest = code
  for (const match of code.matchAll(/\b(pub(?:\s*\([^)]*\))?\s+)?use\s+([^;]+);/g)) {
    const start = match.index + match[0].indexOf(match[2], match[1]?.length ?? 0)
    for (const leaf of leaves(match[2])) paths.push({ segments: leaf, index: start, reexport: match[1] !== undefined })
    rest = blank(rest, match.index, match.index + match[0].length)
  }
  for (const match of rest.matchAll(/(?<![\w:])(?:::)?([a-z_]\w*(?:\s*::\s*\w+)+)/g)) {
    paths.push({ segments: match[1].split(/\s*::\s*/), index: match.index, reexport: false })
  }
  return paths
}

function leaves(tree) {
  const brace = tree.indexOf('{')
  if (brace === -1) return [tree.replace(/\s+as\s+\w+/, '').replace(/^::/, '').split('::').map((part) => part.trim()).filter(Boolean)]
  const prefix = tree.slice(0, brace).split('::').map((part) => part.trim()).filter(Boolean)
  const parts = []
  let depth = 0
  let from = brace + 1
  for (let i = brace + 1; i < tree.length; i++) {
    if (tree[i] === '{') depth++
    if ((tree[i] === ',' && depth === 0) || (tree[i] === '}' && depth-- === 0)) {
      parts.push(tree.slice(from, i))
      from = i + 1
    }
  }
  return parts.filter((part) => part.trim() !== '').flatMap(leaves).map((leaf) => [...prefix, ...leaf])
}
