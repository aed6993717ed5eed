'use strict';

/**
 * Preloaded into a fork-style worker: binds the process to its parent, then removes every trace of itself, so that the
 * script and what it starts find what child_process.fork() would have given them. lib/worker-program.js leaves the
 * parent's pid and the addon's file in the environment.
 */

const { env, execArgv } = process;
const order = env.FARM_FORK_GUARD;

// In a thread of the script there is none: the process is bound already.
if (order !== undefined) {
  delete env.FARM_FORK_GUARD;
  const [, parent, addon] = /** @type {RegExpExecArray} */ (/^(\d+) (.*)$/s.exec(order));
  require(addon).guardProcess(Number(parent));
  delete require.cache[addon];
}

const place = execArgv.indexOf(__filename);
if (place > 0) execArgv.splice(place - 1, 2);
delete require.cache[__filename];
