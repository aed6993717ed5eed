'use strict';

const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { brotliCompressSync, brotliDecompressSync, constants } = require('node:zlib');

const HARDEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

/**
 * Compresses a file as hard as brotli can and makes sure that it comes back whole.
 * @param {string} file
 */
exports.shrink = (file) => {
  const source = readFileSync(file);
  const small = brotliCompressSync(source, HARDEST);
  if (!brotliDecompressSync(small).equals(source)) throw new Error(`${file} did not come back whole`);
  return { file, bytes: source.length, small: small.length, sha256: createHash('sha256').update(small).digest('hex') };
};
