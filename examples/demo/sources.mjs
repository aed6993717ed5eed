// Real input for the demo: JavaScript files of the installed packages, about as many as the time allows.

import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** @typedef {{ file: string, bytes: number }} Source */

/** Every .js file below a folder that is worth compressing. @param {string} folder @returns {Source[]} */
export function sourcesBelow(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => ({ file, bytes: statSync(file).size }))
  return found.filter(({ bytes }) => bytes >= 2_000 && bytes <= 400_000)
}

/**
 * Evenly out of the whole list, the largest first: a large one that starts last would keep one core busy alone.
 * @param {Source[]} sources
 * @param {number} bytes about so many in all
 */
export function sample(sources, bytes) {
  const total = sources.reduce((sum, source) => sum + source.bytes, 0)
  const part = Math.min(1, bytes / total)
  return sources.filter((_, at) => Math.floor((at + 1) * part) > Math.floor(at * part)).sort((a, b) => b.bytes - a.bytes)
}
