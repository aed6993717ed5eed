// The Rust rules about imports: crates, the rooms within the engine, circles between modules.
import { findCircles } from './circles.mjs'
import { lineAt } from './files.mjs'
import { codeOnly, pathsOf, withoutTests } from './rust-source.mjs'
import { crates, modules } from './table.mjs'

/** @param {import('./files.mjs').SourceFile[]} files @returns {import('./files.mjs').Finding[]} */
export function checkRust(files) {
  return crates.flatMap((crate) => checkCrate(crate, files))
}

function checkCrate(crate, files) {
  const prefix = crate.dir === '.' ? 'src/' : `${crate.dir}/src/`
  const sources = files.filter(({ name }) => name.startsWith(prefix) && name.endsWith('.rs')).map((file) => {
    const code = withoutTests(codeOnly(file.text))
    return { name: file.name, module: modulePath(file.name.slice(prefix.length)), code, paths: pathsOf(code) }
  })
  const findings = []
  const byModule = new Map(sources.map((source) => [source.module.join('::'), source]))
  const edges = new Map()
  for (const source of sources) {
    const imported = new Map()
    edges.set(source.name, imported)
    const rule = modules.find((one) => one.crate === crate.name && one.module === source.module[0])
    for (const { segments, index, reexport } of source.paths) {
      const line = lineAt(source.code, index)
      const report = (message) => findings.push({ file: source.name, line, message })
      checkForeign(crate, rule, segments[0], report)

      const target = absolute(source.module, segments, byModule)
      if (target === null) continue
      const room = target[0]
      if (rule && room !== undefined && room !== rule.module && isModule(byModule, room) && !rule.modules.includes(room)) {
        report(`${rule.module} names ${crate.name}::${room}; ${rule.module} may use ${list(rule.modules)}`)
        continue
      }
      const file = fileOf(byModule, target)
      // A parent that hands its child's names on is the child's shop window, not its user.
      const shopWindow = reexport && file !== source && file?.module.join('::').startsWith(source.module.join('::'))
      if (file && file !== source && !shopWindow && !imported.has(file.name)) imported.set(file.name, line)
    }
  }
  return [...findings, ...checkManifest(crate, files), ...findCircles(edges, 'modules')]
}

function checkForeign(crate, rule, first, report) {
  const other = crates.find(({ name }) => name === first)
  if (other && other.name !== crate.name && !crate.uses.includes(first)) {
    const direction = other.floor >= crate.floor ? 'upward or sideways' : 'past a floor'
    report(`names ${first}, ${direction}; ${crate.name} (floor ${crate.floor}) may use ${list(crate.uses)}`)
  } else if (other && rule && other.name !== crate.name && !rule.crates.includes(first)) {
    report(`names ${first}; ${crate.name}::${rule.module} may use ${list(rule.crates)}`)
  }
  if (!crate.napi && /^napi(_derive|_sys)?$/.test(first)) report(`names ${first}; only the addon in src/ may`)
}

function checkManifest(crate, files) {
  const name = crate.dir === '.' ? 'Cargo.toml' : `${crate.dir}/Cargo.toml`
  const manifest = files.find((file) => file.name === name)
  if (!manifest) return []
  const findings = []
  let section = ''
  manifest.text.split('\n').forEach((text, at) => {
    section = /^\s*\[(.+)\]/.exec(text)?.[1] ?? section
    if (!/dependencies$/.test(section) || section.startsWith('workspace')) return
    const dependency = /^\s*([\w-]+)/.exec(text)?.[1]?.replace(/-/g, '_')
    if (dependency) checkForeign(crate, undefined, dependency, (message) => findings.push({ file: name, line: at + 1, message }))
  })
  return findings
}

function list(names) {
  return names.length === 0 ? 'nothing of the repository' : `only ${names.join(', ')}`
}

/** `supervisor/spawner.rs` -> ['supervisor', 'spawner'] @param {string} file */
function modulePath(file) {
  const parts = file.replace(/\.rs$/, '').split('/')
  if (['mod', 'lib', 'main'].includes(parts[parts.length - 1])) parts.pop()
  return parts
}

/** The path from the crate's root, or null when it leads out of the crate. */
function absolute(module, segments, byModule) {
  let [first, ...rest] = segments
  if (first === 'crate') return rest
  if (first === 'self' || first === 'super') {
    let base = module
    for (; first === 'super' || first === 'self'; [first, ...rest] = rest) if (first === 'super') base = base.slice(0, -1)
    return first === undefined ? base : [...base, first, ...rest]
  }
  const child = [...module, first]
  return byModule.has(child.join('::')) ? [...module, ...segments] : null
}

function isModule(byModule, name) {
  return [...byModule.keys()].some((key) => key === name || key.startsWith(`${name}::`))
}

/** The file that holds what a path names: the deepest module on it, and from there along `pub use`. */
function fileOf(byModule, target, hops = 0) {
  for (let length = target.length; length >= 0; length--) {
    const source = byModule.get(target.slice(0, length).join('::'))
    if (!source) continue
    const name = target[length]
    const window = name === undefined || hops > 4
      ? undefined
      : source.paths.find(({ segments, reexport }) => reexport && segments[segments.length - 1] === name)
    const next = window && absolute(source.module, window.segments, byModule)
    return next ? fileOf(byModule, next, hops + 1) : source
  }
  return null
}
