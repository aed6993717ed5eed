// How set-up ends when something is missing: two lines, what was found and what to do. Read by an old Node
// too (see setup.mjs), so nothing newer than ES2015 here.

export class SetupError extends Error {
  constructor(found, todo) {
    super(found)
    this.name = 'SetupError'
    this.found = found
    this.todo = todo
  }
}

export function stop(found, todo) {
  // Written at once: exit() would cut a pipe that has not been flushed.
  process.exitCode = 1
  process.stderr.write('found: ' + found + '\n' + 'do:    ' + todo + '\n')
}
