'use strict';

/** How a worker ended: the supervisor's record with names for its numbers, and in words. */

/** What a signal stands for that the process has brought upon itself, or that somebody sends. @type {Record<string, string>} */
const DESCRIPTIONS = {
  SIGSEGV: 'invalid memory reference',
  SIGABRT: 'abort',
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGBUS: 'bad memory access',
  SIGILL: 'illegal instruction',
  SIGFPE: 'arithmetic error',
  SIGTRAP: 'trap',
  SIGSYS: 'forbidden system call',
  SIGXCPU: 'CPU time limit',
  SIGXFSZ: 'file size limit',
  SIGHUP: 'terminal closed',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGPIPE: 'nobody reads the pipe',
};

/** `killedFor`, as what farm did; {time} is `killedAfter`. @type {Record<string, string>} */
const KILLED = {
  cancel: 'was killed because a task in it that was cancelled did not let go',
  timeout: 'was killed because a task in it that had run into its timeout did not let go',
  channel: 'was killed because it closed its IPC channel, or wrote to it what process.send() does not write',
  poison: 'was ended because a worker of this farm wrote over the shared queue',
  startTimeout: 'was killed because it was not ready within startTimeout',
  stopped: 'was killed because it had been stopped for {time} (SIGSTOP or the like; who sent it is not known, see stoppedTimeout)',
  stalled: 'was killed because for {time} its event loop had not turned and neither it nor a process that it started had used CPU time (see stallTimeout)',
  teardown: 'was killed because it was told to leave, had no task, and had not left after {time} (see teardown, startTimeout)',
  deaf: 'was killed because without a task its event loop had not turned for {time} while tasks waited (see startTimeout)',
};

const MIB = 1024 * 1024;

/** @type {Record<string, (record: any) => string>} */
const OVER = {
  memory: ({ allowed, seen }) => `was killed because its private memory reached ${(seen / MIB).toFixed(1)} MiB (limits.memory: ${(allowed / MIB).toFixed(1)} MiB)`,
  cpuTime: ({ allowed, seen }) => `was killed because it had used ${seen} ms of CPU time (limits.cpuTime: ${allowed} ms)`,
};

/**
 * @typedef {object} ExitRecord how a worker ended
 * @property {number} workerId
 * @property {number} pid
 * @property {number | null} exitCode
 * @property {string | null} signal
 * @property {string | null} signalDescription
 * @property {string} verdict why it ended, in one word
 * @property {string | null} retiredFor why it was told to leave, if it was
 * @property {string} stderr the last lines
 * @property {number} age ms
 * @property {number | null} cpuTime ms
 * @property {number | null} maxMemory bytes
 * @property {string | null} killedFor why farm ended it, if it did
 * @property {number | null} killedAfter ms that it was stopped, stalled or deaf by then
 * @property {string} [limit] the limit that it went over
 * @property {number} [allowed] bytes or ms, as that limit
 * @property {number} [seen]
 * @property {boolean} [started] the task's code ran
 * @property {boolean} [collateral] the worker had to be killed for another task
 * @property {boolean} [quarantined] the task has ended too many workers to be tried again
 */

/**
 * @param {any} raw as the supervisor wrote it
 * @returns {ExitRecord}
 */
function exitRecord(raw) {
  const { workerId, pid, exitCode, signal: number, ...rest } = raw;
  const signal = signalName(number);
  return { workerId, pid, exitCode, signal, signalDescription: describe(signal, raw), ...rest };
}

/** @param {number | null} number */
function signalName(number) {
  if (number === null || number === undefined) return null;
  const { signals } = require('node:os').constants;
  return Object.keys(signals).find((name) => signals[/** @type {any} */ (name)] === number) ?? `signal ${number}`;
}

/**
 * @param {string | null} signal
 * @param {{ verdict: string, killedFor: string | null }} raw
 */
function describe(signal, { verdict, killedFor }) {
  if (signal === null) return null;
  if (killedFor !== null && (signal === 'SIGKILL' || signal === 'SIGTERM')) return 'sent by farm';
  if (verdict === 'oom-killer') return 'killed by the out-of-memory killer of the kernel';
  return DESCRIPTIONS[signal] ?? null;
}

/**
 * What became of it, as the words after its name.
 * @param {ExitRecord} record
 */
function howItEnded(record) {
  const { verdict, killedFor, killedAfter, signal, signalDescription, exitCode } = record;
  if (record.limit !== undefined && OVER[record.limit]) return OVER[record.limit](record);
  if (killedFor) return KILLED[killedFor]?.replace('{time}', `${killedAfter} ms`) ?? 'was killed because the farm was closed';
  if (verdict === 'heap-out-of-memory') return 'ran out of memory for its JavaScript heap (execArgv: [\'--max-old-space-size=<MiB>\'] gives it more)';
  if (verdict === 'oom-killer') return `was ended by ${signal}: the out-of-memory killer of the kernel`;
  if (signal !== null) return `was ended by ${signal}${signalDescription ? ` (${signalDescription})` : ''}`;
  if (exitCode !== null && exitCode !== undefined) return `exited with code ${exitCode}`;
  return 'ended; its exit status is unknown';
}

/** The frames of an uncaught error stand below what it says. @param {ExitRecord} record */
function lastWords(record) {
  if (!record.stderr) return '';
  let lines = record.stderr.split('\n');
  if (lines.length > 8) lines = lines.filter((line) => line !== '' && !/^\s+at /.test(line));
  return `\nLast lines of its stderr:\n${lines.slice(-8).map((line) => `  ${line}`).join('\n')}`;
}

module.exports = { exitRecord, howItEnded, lastWords };
