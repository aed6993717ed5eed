'use strict';

// What the demo compares with: the same function over the same files in one process, one after the other. Its CPU time, in
// ms, is in a file beside the results.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { minify } = require('./worker');

async function main() {
  const out = process.argv[2];
  mkdirSync(out);
  const files = readFileSync(0, 'utf8').split('\0').filter(Boolean);
  for (const [number, file] of files.entries()) writeFileSync(path.join(out, `${number}.js`), await minify(file));
  const { user, system } = process.cpuUsage();
  writeFileSync(path.join(out, 'cpu'), String((user + system) / 1000));
}
main();
