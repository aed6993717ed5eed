'use strict';

/** What the module has written to stdout and stderr: a pipe takes it as fast as the parent reads, and process.exit() drops the rest. */

/** Resolves when nothing waits to be written, or cannot be any more. */
async function written() {
  // Warnings are printed in a turn of their own.
  await new Promise(setImmediate);
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
}

/** @param {NodeJS.WriteStream} stream */
function drained(stream) {
  if (stream.writableLength === 0 || stream.destroyed) return undefined;
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.write('', resolve);
  });
}

module.exports = { written };
