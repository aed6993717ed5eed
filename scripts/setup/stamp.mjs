// Says whether the addon in the tree was built from the sources in the tree. The stamp holds a hash of
// everything the compiler reads; times are useless for this, because a checkout sets them anew.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const inputs = ['Cargo.toml', 'build.rs', 'rust-toolchain.toml', '.cargo', 'src', 'crates']
// Cargo's own test targets never end up in the addon.
const skipped = new Set(['tests', 'benches', 'examples', 'fuzz', 'target', 'node_modules', 'proptest-regressions'])

const stampFile = (root) => path.join(root, 'target', 'farm-build.stamp')

/** A hash over all that goes into the addon and its loader. @param {string} root */
export function sourceHash(root) {
  const hash = createHash('sha256')
  for (const input of inputs) addPath(hash, root, input)
  // The loader has the package's version in it, the file names come from the napi section.
  const { version, napi } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  hash.update(JSON.stringify({ version, napi }))
  return hash.digest('hex')
}

function addPath(hash, root, name) {
  const full = path.join(root, name)
  let entries
  try {
    entries = readdirSync(full, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return
    if (error.code !== 'ENOTDIR') throw error
    hash.update(`${name}\0`).update(readFileSync(full)).update('\0')
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!skipped.has(entry.name)) addPath(hash, root, `${name}/${entry.name}`)
  }
}

/** What the build has written into the tree: addons and guards. @param {string} root @returns {string[]} */
export function builtFiles(root) {
  return readdirSync(root).filter((name) => name.endsWith('.node') || name.startsWith('farm-guard.'))
}

/** @param {string} root @returns {boolean} */
export function isFresh(root) {
  if (!existsSync(path.join(root, 'native.js')) || builtFiles(root).length === 0) return false
  let stamp
  try {
    stamp = readFileSync(stampFile(root), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
  return stamp.trim() === stampText(root, sourceHash(root))
}

/** @param {string} root @param {string} hash */
export function writeStamp(root, hash) {
  mkdirSync(path.dirname(stampFile(root)), { recursive: true })
  writeFileSync(stampFile(root), `${stampText(root, hash)}\n`)
}

// The platform is part of it: a tree shared between two systems must not take the other one's binary for its own.
// Cargo.lock is read here, after the build, and not with the sources before it: the build itself may complete it.
function stampText(root, hash) {
  const lock = createHash('sha256')
  addPath(lock, root, 'Cargo.lock')
  return `${process.platform}-${process.arch} ${builtFiles(root).sort().join(',')} ${hash} ${lock.digest('hex')}`
}
