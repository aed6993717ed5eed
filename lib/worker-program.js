'use strict';

/** What the supervisor runs for one worker, and what the worker is told at its start. */

const path = require('node:path');
const { writePlain } = require('./codec/plain-write');
const { FarmError } = require('./errors');

/** How the boot data is written, in its first byte. */
const PLAIN = 1;
const CLONED = 2;

const BOOTSTRAP = path.join(__dirname, 'worker', 'bootstrap.js');

/**
 * @param {Readonly<Record<string, any>>} options of the farm
 * @param {{ file: string, url: string }} source
 * @param {string} addon the file of the native addon
 */
function workerProgram(options, source, addon) {
  const inspect = options.inspect ? ['--inspect=127.0.0.1:0'] : [];
  const script = options.fork ? [source.file] : [BOOTSTRAP, String(process.pid), addon];
  return {
    path: options.execPath,
    args: [...options.execArgv, ...inspect, ...script, ...options.argv],
    env: environment(options.env ?? process.env),
    cwd: options.cwd === undefined ? process.cwd() : options.cwd,
  };
}

/** @param {Record<string, string | undefined>} env */
function environment(env) {
  const list = [];
  for (const name of Object.keys(env)) {
    // A channel of this process is not the worker's.
    if (env[name] === undefined || name.startsWith('NODE_CHANNEL_') || name === 'NODE_UNIQUE_ID') continue;
    list.push(`${name}=${env[name]}`);
  }
  return list;
}

/**
 * What a worker is told at its start; lib/worker/bootstrap.js reads it. Loading V8's serializer takes both sides more
 * than a millisecond, so plain data goes without.
 * @param {Readonly<Record<string, any>>} options
 * @param {{ file: string, url: string }} source
 * @returns {Buffer}
 */
function bootData(options, source) {
  const told = { file: source.file, url: source.url, workerData: options.workerData, codec: options.codec };
  try {
    const plain = writePlain(told);
    if (plain !== null) return Buffer.concat([Buffer.of(PLAIN), plain.bytes.subarray(0, plain.end)]);
    return Buffer.concat([Buffer.of(CLONED), require('node:v8').serialize(told)]);
  } catch (cause) {
    throw new FarmError('ERR_FARM_NOT_CLONEABLE', `workerData cannot be given to workers: ${/** @type {any} */ (cause).message}`, { cause });
  }
}

module.exports = { workerProgram, bootData };
