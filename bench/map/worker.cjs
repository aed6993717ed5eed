'use strict';

// The functions that are run by `farm map` and, by script.cjs, without it.

const fs = require('node:fs');

/** Trivial: how many lines a file has. */
exports.lines = (file) => {
  const bytes = fs.readFileSync(file);
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return `${file} ${lines}\n`;
};

exports.echo = (line) => `${line}\n`;

/** @type {typeof import('terser') | undefined} */
let terser;
exports.minify = async (file) => {
  terser ??= require('terser');
  return (await terser.minify(fs.readFileSync(file, 'utf8'))).code;
};
