// Makes a clean clone ready: installs what package-lock.json names, builds the addon. Does only what is
// needed, so that a second run ends at once. Without dependencies, and this file alone in a syntax and with
// imports that an old Node still reads, because it is the one that must tell that Node is too old.
//
//   node scripts/setup.mjs              install and build
//   node scripts/setup.mjs --also=DIR   and install DIR/package-lock.json as well
//   node scripts/setup.mjs --tools      insist on the Rust tools even when there is nothing to build
//   node scripts/setup.mjs --prepare    build only: npm runs this in the middle of its own install
import path from 'path'
import { fileURLToPath } from 'url'
import { stop } from './setup/stop.mjs'

var root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
var major = Number(process.versions.node.split('.')[0])

if (major < 20) {
  stop('Node ' + process.version, 'install Node 20 or newer and run this again')
} else {
  import('./setup/steps.mjs').then(function (steps) {
    return steps.run(root, process.argv.slice(2))
  }).catch(function (error) {
    if (error.name !== 'SetupError') throw error
    stop(error.found, error.todo)
  })
}
