'use strict';

const { readFileSync } = require('node:fs');
const { wrap } = require('node:module');
const vm = require('node:vm');
const { minify } = require('terser');

const MODULE = /^\s*(?:import\b(?!\s*\()|export\b)/m;

/**
 * @param {string} file JavaScript
 * @returns {Promise<string>} the same, smaller
 */
exports.minify = async (file) => {
  const source = readFileSync(file, 'utf8');
  // Whether a file is a script or an ES module only its package and its reader know; the one that parses is right.
  const first = MODULE.test(source);
  const { code } = await minify(source, { module: first }).catch(() => minify(source, { module: !first }));
  return code ?? '';
};

/**
 * Says nothing when V8 can parse a file, and throws when it cannot.
 * @param {string} file JavaScript
 */
exports.parse = (file) => {
  const source = readFileSync(file, 'utf8').replace(/^#!.*/, '');
  try {
    void new vm.Script(wrap(source), { filename: file });
  } catch {
    void new vm.SourceTextModule(source, { identifier: file });
  }
};
