'use strict';

const { createHash } = require('node:crypto');
const { readFile } = require('node:fs/promises');

exports.digest = async (file) => {
  const text = await readFile(file);
  return { file, bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
};

exports.square = (n) => n * n;
