'use strict';

/** One command at a time for a journal: a file beside it names the process that has it. */

const fs = require('node:fs');
const { UsageError } = require('./exit');
const { nameOf, pathOf, shown } = require('./names');
const { startOf } = require('./processes');

/** @param {string} file @returns {number | undefined} the process that has it, if that lives */
function holder(file) {
  let text;
  try {
    text = fs.readFileSync(pathOf(file), 'utf8');
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
  const file = `${whereIs(journal)}.lock`;
  const own = `${file}.${process.pid}`;
  // Linked and not written in place: whoever sees it sees all of it.
  fs.writeFileSync(pathOf(own), `${process.pid} ${startOf(process.pid)}`);
  try {
    while (!linked(own, file)) {
      const pid = holder(file);
      if (pid !== undefined) throw new UsageError(`farm map: the journal ${shown(journal)} is in use by process ${pid}; wait for its end, or use a journal of its own`);
      takeAway(file, `${own}.old`);
    }
  } finally {
    fs.rmSync(pathOf(own), { force: true });
  }
  return () => fs.rmSync(pathOf(file), { force: true });
}

/** By whatever name it is called. @param {string} journal */
function whereIs(journal) {
  try {
    return nameOf(fs.realpathSync(pathOf(journal), { encoding: 'buffer' }));
  } catch {
    return journal;
  }
}

/** File systems that know one name for a file only. */
const LINKLESS = new Set(['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** @param {string} from @param {string} to @returns {boolean} false: there is one already */
function linked(from, to) {
  try {
    fs.linkSync(pathOf(from), pathOf(to));
    return true;
  } catch (error) {
    const { code } = /** @type {any} */ (error);
    if (code === 'EEXIST') return false;
    if (!LINKLESS.has(code)) throw error;
  }
  try {
    fs.copyFileSync(pathOf(from), pathOf(to), fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (/** @type {any} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Whoever had it was killed. Of several commands that see this, one moves it away; another may have moved a lock that
 * was taken since, and puts that back.
 * @param {string} file
 * @param {string} aside
 */
function takeAway(file, aside) {
  try {
    fs.renameSync(pathOf(file), pathOf(aside));
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'ENOENT') throw error;
    return;
  }
  if (holder(aside) !== undefined) linked(aside, file);
  fs.rmSync(pathOf(aside), { force: true });
}

module.exports = { lockJournal };
