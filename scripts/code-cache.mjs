// Has V8's code of the package's own files written for this Node, so that a program that uses farm, and each of its
// workers, starts a few milliseconds sooner (docs/design/decisions.md, 29). V8 compiles a function at its first call: so a farm
// runs first. What is written, and when it is taken: lib/worker/entry.js.
//
//   node scripts/code-cache.mjs
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isFresh, write } from './code-cache/files.mjs'

const require = createRequire(import.meta.url)
const worker = fileURLToPath(new URL('./code-cache/worker.cjs', import.meta.url))

/** Calls of the kinds that programs begin with. */
async function use(farm, service) {
  await farm.ready()
  for (let i = 0; i < 8; i++) await Promise.all([service.echo(i), service.echo({ text: 'a', list: [i, true, null] }), service.later('b')])
}

/** @returns {Promise<void>} */
export async function makeCodeCache() {
  if (isFresh('farm') && isFresh('worker')) return
  const { WorkerFarm } = require('../index.js')
  const farm = new WorkerFarm(worker, { max: 1 })
  try {
    await use(farm, farm.service)
    write('worker', await farm.service.codeOf('worker'))
    await farm.close()
    write('farm', require(worker).codeOf('farm'))
  } finally {
    await farm.destroy()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeCodeCache()
