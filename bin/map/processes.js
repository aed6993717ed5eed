'use strict';

/** Whether a process that somebody has written down is still the same one. */

const { readFileSync } = require('node:fs');

/** Tells a process from a later one with the same number; '' when there is none, or the system does not say. @param {number} pid */
function startOf(pid) {
  try {
    // The name before it may hold spaces and brackets; the start is the 22nd field, the 20th behind the name.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}

module.exports = { startOf };
