'use strict';

// Hashes passwords with bcrypt, in plain JavaScript: some hundred milliseconds of CPU for each, on purpose.
//   npm run farm -- map ./examples/passwords/worker.js --method hash --ndjson --ordered examples/passwords/users.ndjson

const bcrypt = require('bcryptjs');

const COST = 8;

/** @param {{ user: string, password: string }} record */
exports.hash = ({ user, password }) => {
  if (typeof password !== 'string' || password === '') throw new Error(`${user} has no password`);
  return { user, hash: bcrypt.hashSync(password, COST) };
};
