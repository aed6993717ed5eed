'use strict';

/** One command at a time for a journal: a file beside it names the process that has it. */

const fs = require('node:fs');
const { UsageError } = require('./exit');

/** Tells a process from a later one with the same number; '' where the system does not say. @param {number} pid */
function startOf(pid) {
  try {
    // The name before it may hold spaces and brackets; the start is the 22nd field, the 20th behind the name.
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}

/** @param {string} file @returns {number | undefined} the process that has it, if that lives */
function holder(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const [pid, start] = text.split(' ');
  const now = startOf(Number(pid));
  return now !== '' && now === start ? Number(pid) : undefined;
}

/**
 * @param {string} journal
 * @returns {() => void} gives it back
 */
function lockJournal(journal) {
  const file = `${journal}.lock`;
  for (;;) {
    try {
      fs.writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'EEXIST') throw error;
    }
    const pid = holder(file);
    if (pid !== undefined) throw new UsageError(`farm map: the journal ${journal} is in use by process ${pid}; wait for its end, or use a journal of its own`);
    // Whoever had it was killed.
    fs.rmSync(file, { force: true });
  }
}

module.exports = { lockJournal };
