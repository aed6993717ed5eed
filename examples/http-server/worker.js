'use strict';

const { scryptSync } = require('node:crypto');

/** Some hundred milliseconds of work that must not hold up the other requests. */
exports.hashPassword = (password, salt) => scryptSync(password, salt, 32, { N: 2 ** 15, maxmem: 2 ** 26 }).toString('hex');
