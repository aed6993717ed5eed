'use strict';

/**
 * The node options that workers inherit: those of this process, less what is meant for this process alone, such as the
 * debugger's port, the script of --eval, the test runner and the watcher.
 */

/** Dropped with everything that starts like them. */
const DROPPED_PREFIXES = ['--inspect', '--debug-port', '--test', '--experimental-test', '--watch', '--input-type', '--experimental-default-type'];
const DROPPED = new Set(['-e', '--eval', '-p', '--print', '-pe', '-c', '--check', '-i', '--interactive', '--run', '--experimental-sea-config', '--build-sea', '--prof-process']);

/** Those of the dropped that take the next argument when there is no "=". */
const TAKES_NEXT = new Set([
  '-e', '--eval', '-p', '--print', '-pe', '--run', '--input-type', '--experimental-default-type', '--inspect-port', '--debug-port',
  '--inspect-publish-uid', '--watch-path', '--watch-kill-signal', '--test-name-pattern', '--test-skip-pattern', '--test-reporter',
  '--test-reporter-destination', '--test-concurrency', '--test-timeout', '--test-shard', '--test-isolation', '--test-coverage-include',
  '--test-coverage-exclude', '--test-coverage-branches', '--test-coverage-functions', '--test-coverage-lines', '--test-global-setup',
  '--test-rerun-failures', '--experimental-sea-config', '--build-sea',
]);

/**
 * @param {readonly string[]} [execArgv]
 * @returns {string[]}
 */
function inheritedExecArgv(execArgv = process.execArgv) {
  const kept = [];
  for (let index = 0; index < execArgv.length; index++) {
    const argument = execArgv[index];
    if (!isDropped(argument)) {
      kept.push(argument);
      continue;
    }
    // -p may stand without a script, and node refuses values that begin with a dash.
    const next = execArgv[index + 1];
    if (TAKES_NEXT.has(argument) && next !== undefined && !next.startsWith('-')) index++;
  }
  return kept;
}

/** @param {string} argument */
function isDropped(argument) {
  const name = argument.split('=', 1)[0];
  return DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name === prefix || name.startsWith(`${prefix}-`));
}

module.exports = { inheritedExecArgv };
