// Runs packages as they are installed and as they came out of the demo: both must give the same results.

import { copyFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)

/** Packages that need no other, and something to do with each. @type {Record<string, (it: any) => unknown>} */
const trials = {
  ms: (ms) => ['2 days', '1h', '-3 min', '100'].map((text) => [ms(text), ms(ms(text), { long: true })]),
  picomatch: (picomatch) => ['**/*.{js,mjs}', '!(a|b)*', '[[:alpha:]]?', '{1..9}/*'].map((glob) => [String(picomatch.makeRe(glob)), ['a.js', 'x/y.mjs', 'c', '7/q'].map(picomatch(glob))]),
  commander: ({ Command }) => {
    const command = new Command('trial').option('-n, --number <n>', 'a number', Number).argument('<file>').exitOverride()
    command.parse(['-n', '3', 'file'], { from: 'user' })
    return [command.opts(), command.args, command.helpInformation()]
  }
}

export const tried = Object.keys(trials)

/**
 * @param {string} installed the folder of the packages
 * @param {string} made the folder of what was made of them
 * @returns {string[]} the packages whose results differ
 */
export function differing(installed, made) {
  return tried.filter((name) => {
    copyFileSync(path.join(installed, name, 'package.json'), path.join(made, name, 'package.json'))
    const [before, after] = [installed, made].map((folder) => JSON.stringify(trials[name](require(path.join(folder, name)))))
    return before !== after
  })
}
