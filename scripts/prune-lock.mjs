// `npm ci` refuses a lock file in which a package names an optional package that the lock itself lacks, and npm writes
// such lock files where a registry does not carry the packages for every system. Takes those names out of the lock files.
//
//   node scripts/prune-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { lackingOptionals } from './setup/packages.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

for (const name of ['package-lock.json', 'bench/package-lock.json']) {
  const file = path.join(root, name)
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const lacking = lackingOptionals(lock.packages)
  for (const [at, optional] of lacking) {
    const { optionalDependencies } = lock.packages[at]
    delete optionalDependencies[optional]
    if (Object.keys(optionalDependencies).length === 0) delete lock.packages[at].optionalDependencies
  }
  if (lacking.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${name}: ${lacking.length} names taken out`)
}
