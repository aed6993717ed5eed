'use strict';

/** What one worker may use: the checks of `limits` and `resourceLimits`, and what of them this system can enforce. */

const fs = require('node:fs');
const { FarmError } = require('./errors');
const { Refusal, finite, integer } = require('./option-checks');
const { nanoseconds } = require('./nanoseconds');
const { objectOf, optionError } = require('./option-objects');

const MIB = 1024 * 1024;
/** A node process that does nothing has about as much. */
const LEAST_MEMORY = 32 * MIB;
/** Descriptors that Node, the line to the parent and its segments take; each worker's doorbell comes on top. */
const OWN_FILES = 48;

/** @type {Record<string, import('./option-checks').Check>} */
const LIMITS = {
  /** Bytes of private memory. */
  memory: (value) => (Number.isSafeInteger(value) && value >= LEAST_MEMORY ? value : new Refusal(`an integer of at least ${LEAST_MEMORY} (bytes; ${LEAST_MEMORY / MIB} MiB)`)),
  /** CPUs' worth of time. */
  cpu: (value) => (Number.isFinite(value) && value >= 0.01 && value <= 1024 ? value : new Refusal('a number of CPUs from 0.01 to 1024, such as 0.5')),
  /** ms of CPU time over the worker's life. */
  cpuTime: finite(1),
  /** One more than the largest descriptor number. */
  files: integer(1, Number.MAX_SAFE_INTEGER),
  processes: integer(1, Number.MAX_SAFE_INTEGER),
  nice: integer(-20, 19),
  affinity: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((cpu) => Number.isInteger(cpu) && cpu >= 0)
      ? [...new Set(value)]
      : new Refusal('a non-empty array of CPU numbers'),
};

/** Words of worker_threads and of guides to it. @type {Record<string, import('./option-checks').Check>} */
const RESOURCE_LIMITS = {
  maxMemory: LIMITS.memory,
  maxCpuPercentage: (value) => (Number.isFinite(value) && value >= 1 && value <= 102_400 ? value : new Refusal('a number from 1 to 102400, where 100 is one CPU')),
  maxOldGenerationSizeMb: megabytes(1),
  maxYoungGenerationSizeMb: megabytes(1),
  codeRangeSizeMb: megabytes(1),
  stackSizeMb: (value) => (Number.isFinite(value) && value >= 0.25 ? value : new Refusal('a number of MiB of at least 0.25')),
};

/** @param {number} least */
function megabytes(least) {
  const refusal = new Refusal(`a number of MiB of at least ${least}`);
  return (/** @type {any} */ value) => (Number.isFinite(value) && value >= least ? value : refusal);
}

/**
 * `limits` with what its other name says, if this system can enforce them; and V8's limits, which are flags of node.
 * @param {Record<string, any>} options checked
 * @param {number} max workers
 * @param {{ limitRefusal: (limits: string) => string[], usableCpuNumbers: () => number[] }} native
 * @returns {{ limits: Readonly<Record<string, any>>, heapFlags: string[] }}
 */
function workerLimits({ limits: given, resourceLimits: alias }, max, native) {
  if (given === undefined && alias === undefined) return { limits: {}, heapFlags: [] };
  const limits = { ...given };
  takeAlias(limits, 'memory', 'maxMemory', alias?.maxMemory);
  takeAlias(limits, 'cpu', 'maxCpuPercentage', alias?.maxCpuPercentage === undefined ? undefined : alias.maxCpuPercentage / 100);
  checkFiles(limits.files, max);
  checkAffinity(limits.affinity, native);
  const [limit, why] = native.limitRefusal(JSON.stringify(nativeLimits(limits)));
  if (limit !== undefined) throw unsupported(`limits.${limit}`, why, limits[limit]);
  return { limits: Object.freeze(limits), heapFlags: heapFlags(alias ?? {}) };
}

/**
 * @param {Record<string, any>} limits
 * @param {string} name
 * @param {string} alias
 * @param {number | undefined} value
 */
function takeAlias(limits, name, alias, value) {
  if (value === undefined) return;
  if (limits[name] !== undefined && limits[name] !== value) {
    throw optionError(`resourceLimits.${alias}`, value, `resourceLimits.${alias} and limits.${name} are two names of one limit, and contradict each other`);
  }
  limits[name] = value;
}

/**
 * @param {number | undefined} files
 * @param {number} max
 */
function checkFiles(files, max) {
  const least = OWN_FILES + Math.min(2 * max + 2, 1024);
  if (files !== undefined && files < least) {
    throw optionError('limits.files', files, `limits.files must be at least ${least} in a farm of ${max} workers, not ${files}: Node and the line to the parent need so many`);
  }
}

/**
 * @param {number[] | undefined} affinity
 * @param {{ usableCpuNumbers: () => number[] }} native
 */
function checkAffinity(affinity, native) {
  if (affinity === undefined) return;
  const usable = native.usableCpuNumbers();
  const wrong = affinity.find((cpu) => !usable.includes(cpu));
  if (wrong !== undefined) {
    throw optionError('limits.affinity', affinity, `limits.affinity must name CPUs that this process may use (${usable.join(', ')}), not ${wrong}`);
  }
}

/**
 * As the native side takes them: times in ns.
 * @param {Record<string, any>} limits
 */
function nativeLimits({ cpuTime, ...limits }) {
  return cpuTime === undefined ? limits : { ...limits, cpuTime: nanoseconds(cpuTime) };
}

/** @param {Record<string, number>} v8 */
function heapFlags({ maxOldGenerationSizeMb, maxYoungGenerationSizeMb, codeRangeSizeMb, stackSizeMb }) {
  if (codeRangeSizeMb !== undefined) {
    throw unsupported('resourceLimits.codeRangeSizeMb', 'V8 has no flag for it, only its interface for threads', codeRangeSizeMb);
  }
  const flags = [];
  if (maxOldGenerationSizeMb !== undefined) flags.push(`--max-old-space-size=${Math.ceil(maxOldGenerationSizeMb)}`);
  // The young generation is three semi-spaces: two, and as much for large objects.
  if (maxYoungGenerationSizeMb !== undefined) flags.push(`--max-semi-space-size=${Math.max(1, Math.floor(maxYoungGenerationSizeMb / 3))}`);
  if (stackSizeMb !== undefined) flags.push(`--stack-size=${stackKib(stackSizeMb)}`);
  return flags;
}

/**
 * V8 believes what it is told; a stack that is smaller ends the process.
 * @param {number} stackSizeMb
 */
function stackKib(stackSizeMb) {
  const soft = /^Max stack size\s+(\S+)/m.exec(readIfThere('/proc/self/limits'))?.[1];
  const most = soft === undefined || soft === 'unlimited' ? Infinity : Number(soft) / MIB - 1;
  if (stackSizeMb > most) {
    throw unsupported('resourceLimits.stackSizeMb', `the system gives a process a stack of ${most + 1} MiB here (ulimit -s), which leaves ${most}`, stackSizeMb);
  }
  return Math.floor(stackSizeMb * 1024);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {string} option
 * @param {string} why
 * @param {unknown} value
 */
function unsupported(option, why, value) {
  return new FarmError('ERR_FARM_UNSUPPORTED', `${option} cannot be enforced here: ${why}`, { reason: 'limit', option, value });
}

const limitsCheck = objectOf('limits', LIMITS);
const resourceLimitsCheck = objectOf('resourceLimits', RESOURCE_LIMITS);

module.exports = { checkFiles, limitsCheck, resourceLimitsCheck, workerLimits, nativeLimits };
