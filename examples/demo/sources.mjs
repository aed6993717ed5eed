// Real input for the demo: JavaScript sources of the installed packages, about as many as the time allows.

import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** @typedef {{ file: string, bytes: number }} Source */

/** JSX by its content, JavaScript by its name. */
const JSX = path.join('istanbul-reports', 'lib', 'html-spa', 'src')

/** Every source below a folder that is worth making smaller and is not small already. @param {string} folder @returns {Source[]} */
export function sourcesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js') && !entry.name.endsWith('.min.js'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes(JSX))
    .sort()
    .map((file) => ({ file, bytes: statSync(file).size }))
    .filter(({ bytes }) => bytes >= 200 && bytes <= 400_000)
}

/**
 * Evenly out of the whole list, and all of what must be in it; the largest first, since a large one that starts last would
 * keep one core busy alone.
 * @param {Source[]} sources
 * @param {number} bytes about so many in all
 * @param {(source: Source) => boolean} must
 */
export function sample(sources, bytes, must = () => false) {
  const total = sources.reduce((sum, source) => sum + source.bytes, 0)
  const part = Math.min(1, bytes / total)
  return sources.filter((source, at) => must(source) || Math.floor((at + 1) * part) > Math.floor(at * part)).sort((a, b) => b.bytes - a.bytes)
}
