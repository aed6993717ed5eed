'use strict';

/**
 * What a worker process runs first: it binds itself to its parent, takes its settings from the line, loads the user's
 * module and starts the loop. Started by lib/worker-program.js as
 * `node [execArgv] entry.js <parent pid> <addon> [user's argv]`.
 */

const LINE_FD = 3;
const FATAL_BYTES = 128 * 1024;
/** How the boot data is written, in its first byte; lib/worker-program.js. */
const PLAIN = 1;
const JSON_TEXT = 3;

const [, , parent, addon, ...argv] = process.argv;
const native = require(/** @type {string} */ (addon));
// Before anything else: from here on the kernel ends this process with its parent.
const boot = native.workerOpen(LINE_FD, Number(parent));

const { encodeError } = require('../codec');
const { readPlain } = require('../codec/plain-read');
const context = require('./context');
const { loadModule } = require('./module');

/**
 * One message to the supervisor: a letter, the encoding, the error.
 * @param {string} letter
 * @param {unknown} error
 */
function tell(letter, error) {
  let encoded = encodeError(error);
  if (encoded.attachments !== null || encoded.end - encoded.start > FATAL_BYTES) {
    const { name, message, stack } = /** @type {any} */ (error);
    const short = new Error(`${String(name)}: ${String(message).slice(0, 4096)}`);
    short.stack = String(stack).slice(0, 16_384);
    encoded = encodeError(short);
  }
  native.workerTell(Buffer.concat([Buffer.from([letter.charCodeAt(0), encoded.kind]), encoded.bytes.subarray(encoded.start, encoded.end)]));
}

// Only watches: Node prints the error and ends the process as it would without us.
process.on('uncaughtExceptionMonitor', (error) => {
  try {
    tell('e', error);
  } catch {
    // The exit itself still tells the parent.
  }
});

/** @returns {any} what lib/worker-program.js has written */
function bootSettings() {
  if (boot[0] === JSON_TEXT) return JSON.parse(boot.toString('utf8', 1));
  if (boot[0] === PLAIN) return readPlain(boot, 1, boot.length);
  return require('node:v8').deserialize(boot.subarray(1));
}

async function start() {
  const settings = bootSettings();
  const { file, url, workerData } = settings;
  process.argv = [process.argv[0], file, ...argv];
  const [index, tasksPerWorker] = native.workerPlace();
  const loop = require('./loop');
  context.configure({ workerId: index + 1, workerData, tasksPerWorker, hooks: loop.hooks });
  const loaded = await loadModule(file, url);
  if (loaded.setup) await loaded.setup(context.face);
  loop.start(native, loaded, settings);
}

start().catch((error) => {
  tell('f', error);
  process.exit(1);
});
