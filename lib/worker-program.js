'use strict';

/** What the supervisor runs for one worker, and what the worker is told at its start. */

const path = require('node:path');
const { writePlain } = require('./codec/plain-write');

/** How the boot data is written, in its first byte; lib/worker/bootstrap.js. */
const PLAIN = 1;
const CLONED = 2;
const JSON_TEXT = 3;

const ENTRY = path.join(__dirname, 'worker', 'entry.js');
const FORK_GUARD = path.join(__dirname, 'worker', 'fork-guard.js');
/** Tells the guard what to do. */
const GUARD_ORDER = 'FARM_FORK_GUARD';

/**
 * @param {Readonly<Record<string, any>>} options of the farm
 * @param {{ file: string }} source
 * @param {string} addon the file of the native addon
 */
function workerProgram(options, source, addon) {
  const inspect = options.inspect ? ['--inspect=127.0.0.1:0'] : [];
  // First, so that nothing runs before it; it takes itself out of what the script sees.
  const guard = options.fork ? ['--require', FORK_GUARD] : [];
  const script = options.fork ? [source.file] : [ENTRY, String(process.pid), addon];
  return {
    path: options.execPath,
    args: [...guard, ...options.execArgv, ...inspect, ...script, ...options.argv],
    env: [...environment(options.env ?? process.env), ...(options.fork ? [`${GUARD_ORDER}=${process.pid} ${addon}`] : [])],
    cwd: options.cwd === undefined ? process.cwd() : options.cwd,
  };
}

/** @param {Record<string, string | undefined>} env */
function environment(env) {
  const list = [];
  for (const name of Object.keys(env)) {
    // A channel of this process is not the worker's.
    if (env[name] === undefined || name.startsWith('NODE_CHANNEL_') || name === 'NODE_UNIQUE_ID' || name === GUARD_ORDER) continue;
    list.push(`${name}=${env[name]}`);
  }
  return list;
}

/**
 * What a worker is told at its start; lib/worker/bootstrap.js reads it. Without data of the user's JSON does, and its code
 * is there already. Loading V8's serializer takes both sides more than a millisecond, so plain data goes without.
 * @param {Readonly<Record<string, any>>} options
 * @param {{ file: string, url?: string }} source
 * @returns {Buffer}
 */
function bootData(options, source) {
  const told = { file: source.file, url: source.url, workerData: options.workerData, codec: options.codec };
  if (told.workerData === undefined) return Buffer.concat([Buffer.of(JSON_TEXT), Buffer.from(JSON.stringify(told))]);
  try {
    const plain = writePlain(told);
    if (plain !== null) return Buffer.concat([Buffer.of(PLAIN), plain.bytes.subarray(0, plain.end)]);
    return Buffer.concat([Buffer.of(CLONED), require('node:v8').serialize(told)]);
  } catch (cause) {
    throw require('./codec/refusal').notCloneable(options.workerData, cause, 'workerData');
  }
}

module.exports = { workerProgram, bootData };
