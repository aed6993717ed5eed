'use strict';

/** A time that nobody lives to see is this long (31 years): what the native side adds to its clock stays a number for it. */
const LONGEST = 1e18;

/**
 * A duration as the native side takes it.
 * @param {number} ms
 */
function nanoseconds(ms) {
  return Math.min(Math.round(ms * 1e6), LONGEST);
}

module.exports = { nanoseconds };
