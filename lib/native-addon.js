'use strict';

/** The native addon, or an error that says why this machine has none and what to do. */

const { existsSync } = require('node:fs');
const path = require('node:path');
const { FarmError } = require('./errors');

const ROOT = path.dirname(__dirname);
/** What a worker runs. */
const WORKER = path.join(__dirname, 'worker', 'entry.js');
const ARCHITECTURES = ['x64', 'arm64'];
/** No binary is to blame: node was told to load none. */
const DISABLED = 'disabled';
/** What lib/ and the addon say to each other; src/system.rs. */
const PROTOCOL = 6;

/**
 * @typedef {object} Machine
 * @property {string} platform
 * @property {string} arch
 * @property {Record<string, string | undefined>} versions
 */

/**
 * @param {() => typeof import('../native.js')} load
 * @param {Machine} machine
 * @returns {typeof import('../native.js')}
 * @throws {FarmError} ERR_FARM_UNSUPPORTED
 */
function addonFor(load, machine) {
  const { platform, arch, versions } = machine;
  // Before the addon is touched: the event loops of these abort the process where Node's can be polled.
  const runtime = versions.bun !== undefined ? 'Bun' : versions.deno !== undefined ? 'Deno' : undefined;
  if (runtime !== undefined) {
    throw unsupported('runtime', `farm does not run on ${runtime} yet, only on Node.js`, machine);
  }
  if (platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
    throw unsupported('platform', `farm does not run on this system, only on Linux (${ARCHITECTURES.join(', ')})`, machine);
  }
  // Some bundlers put what a path names into the bundle, so that it is there.
  if (path.basename(__filename) !== 'native-addon.js' || !existsSync(WORKER)) {
    const ways = "esbuild --external:farm, webpack externals: { farm: 'commonjs farm' }, Next.js serverExternalPackages: ['farm']";
    throw unsupported('bundled', `farm was bundled into ${__filename}, and its workers need the files of the package. Leave it out of the bundle: ${ways}`, machine);
  }
  let native;
  try {
    native = load();
  } catch (cause) {
    const refused = refusalIn(cause);
    if (refused === DISABLED) throw unsupported('binary', "farm's binary cannot be loaded: native addons are disabled here. Allow them with --allow-addons beside --permission, or leave --no-addons away", machine, cause);
    const found = refused === undefined ? 'farm has no binary for this system' : `farm's binary cannot be loaded on this system: ${refused}`;
    throw unsupported('binary', `${found}. ${remedy()}`, machine, cause);
  }
  const theirs = typeof native.protocol === 'function' ? native.protocol() : 'an older one';
  if (theirs !== PROTOCOL) {
    const both = `the JavaScript in ${ROOT} speaks protocol ${PROTOCOL}, its binary ${theirs}`;
    throw unsupported('binary', `farm and its binary are not of the same build: ${both}. ${remedy()}`, machine);
  }
  if (!native.isSupported()) throw unsupported('platform', 'farm was built without support for this system', machine);
  return native;
}

/**
 * @param {'runtime' | 'platform' | 'bundled' | 'binary'} reason
 * @param {string} what
 * @param {Machine} machine
 * @param {unknown} [cause]
 */
function unsupported(reason, what, { platform, arch }, cause) {
  const libc = platform === 'linux' ? libcOf() : null;
  const kernel = require('node:os').release();
  const place = [`platform ${platform}`, `arch ${arch}`, ...(libc === null ? [] : [`libc ${libc}`]), `kernel ${kernel}`].join(', ');
  const details = { reason, platform, arch, libc, kernel };
  return new FarmError('ERR_FARM_UNSUPPORTED', `${what} (${place})`, cause === undefined ? details : { ...details, cause });
}

/** What to do where a built file is missing: a clone has the sources, an installed package has not. */
function remedy() {
  if (existsSync(path.join(ROOT, 'Cargo.toml'))) return `Build it with \`npm run build\` in ${ROOT}`;
  return 'A package holds what was built on the system it was packed on: run `npm install` and `npm pack` in a clone on a system like this one, and install that';
}

/** A report names the C library only where it is glibc. */
function libcOf() {
  const report = /** @type {NodeJS.ProcessReport & { excludeNetwork?: boolean }} */ (process.report);
  // Else the report looks up the names of the peers of all sockets.
  report.excludeNetwork = true;
  const { header } = /** @type {any} */ (report.getReport());
  return header.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

/**
 * What the system said about a binary that is there, in the chain of the loader's attempts.
 * @param {any} error
 * @returns {string | undefined}
 */
function refusalIn(error) {
  for (let depth = 0; error && depth < 20; depth++) {
    if (error.code === 'ERR_DLOPEN_DISABLED') return DISABLED;
    if (error.code === 'ERR_DLOPEN_FAILED') return error.message;
    error = error.cause;
  }
  return undefined;
}

/** Where one binary lies in the package, it is the one; the generated loader takes longer than the binary itself. */
function load() {
  const beside = ['gnu', 'musl'].map((libc) => path.join(ROOT, `farm.linux-${process.arch}-${libc}.node`)).filter((file) => existsSync(file));
  const [file] = beside;
  if (beside.length !== 1 || process.env.NAPI_RS_NATIVE_LIBRARY_PATH) return require('../native.js');
  return require(file);
}

function loadAddon() {
  return addonFor(load, process);
}

/** The addon is there, but nothing can wake the JavaScript thread of this runtime for it. */
function loopNotPolled() {
  return unsupported('runtime', 'farm cannot wait on the event loop of this runtime; it runs on Node.js only', process);
}

module.exports = { addonFor, loadAddon, loopNotPolled, remedy };
