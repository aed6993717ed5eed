'use strict';

// One function of worker.cjs over the files named, as a script for xargs or for one process.
//   node script.cjs <function> <files…>

const worker = require('./worker.cjs');

async function main() {
  const [name, ...files] = process.argv.slice(2);
  for (const file of files) process.stdout.write(await worker[name](file));
}
main();
