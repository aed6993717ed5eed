'use strict';

/**
 * Every option of a farm and of a task: its default, its check, its unit. No other file knows a default.
 * Durations are milliseconds unless the name says otherwise.
 */

const { knownElsewhere, nearestOf } = require('./option-names');
const { inheritedExecArgv } = require('./exec-argv');
const check = require('./option-checks');
const { checked, environmentCheck, optionError, recycleCheck } = require('./option-objects');
const { limitsCheck, resourceLimitsCheck } = require('./limits');

/**
 * @typedef {object} Option
 * @property {() => unknown} standard makes the default
 * @property {(value: any) => unknown} check returns the value to use; throws the sentence that follows the option's name
 * @property {boolean} [notForFork] an unmodified fork script cannot be given this
 * @property {boolean} [forkOnly]
 */

const nothing = () => undefined;
const forever = () => Infinity;
const inherit = () => 'inherit';
const anyCount = check.integer(0, Number.MAX_SAFE_INTEGER);
const failures = check.someOf('exit', 'timeout', 'error');
const output = check.oneOf('inherit', 'pipe', 'prefix', 'ignore');

/** @type {Record<string, Option>} */
const FARM = {
  /** Most workers at a time; undefined: as many CPUs as the process may use. 1024 is what the queue's sleeper map holds. */
  max: { standard: nothing, check: check.integer(1, 1024) },
  /** Workers that are kept when there is nothing to do. */
  min: { standard: () => 0, check: check.integer(0, 1024) },
  /** ms after which an idle worker above `min` ends. */
  idleTimeout: { standard: () => 30_000, check: check.duration(0) },
  /** ms a task may run, counted from its start. */
  timeout: { standard: forever, check: check.duration(1) },
  /** ms a task may wait for its start. */
  queueTimeout: { standard: forever, check: check.duration(1) },
  /** How often a task is tried again after a failure that `retryOn` names. */
  retries: { standard: () => 0, check: anyCount },
  /** 'exit': its worker ended; 'timeout'; 'error': it threw or rejected. */
  retryOn: { standard: () => Object.freeze(['exit']), check: failures },
  /** A task that has ended so many workers is not tried again, whatever `retries` says. */
  maxCrashes: { standard: () => 3, check: check.integer(1, Number.MAX_SAFE_INTEGER) },
  /** Most tasks that wait for a worker: open tasks beyond `max` x `tasksPerWorker`. */
  maxQueue: { standard: forever, check: check.countOrNone },
  /** What becomes of a call beyond that: it rejects, or is held until there is room. */
  overflow: { standard: () => 'reject', check: check.oneOf('reject', 'wait') },
  /** Tasks one worker runs at the same time; more than 1 is for tasks that wait, not for those that compute. */
  tasksPerWorker: { standard: () => 1, check: check.integer(1, 64), notForFork: true },
  /** ms between a cooperative cancel and SIGTERM. */
  grace: { standard: () => 1000, check: check.finite(0) },
  /** ms a worker may take from its start until it is ready. */
  startTimeout: { standard: () => 30_000, check: check.duration(1) },
  /** Starts that fail in a row until tasks are turned away without another start. */
  startAttempts: { standard: () => 5, check: check.integer(1, 1000) },
  /** ms a worker that is needed may be stopped by a signal before it is killed. */
  stoppedTimeout: { standard: () => 5000, check: check.duration(1) },
  /** ms a task may hold a worker that neither turns its event loop nor uses CPU time, nor does what it started. */
  stallTimeout: { standard: forever, check: check.duration(1), notForFork: true },
  /** Workers beyond those at work, loaded and ready to take the place of one that is lost. */
  spares: { standard: () => 0, check: check.integer(0, 64) },
  /** After what a worker is replaced by a fresh one: tasks, ms, bytes of private memory. */
  recycle: { standard: () => ({}), check: recycleCheck },
  /** Environment of the workers; undefined: that of this process when the farm is made. */
  env: { standard: nothing, check: environmentCheck },
  /** Working directory of the workers; undefined: that of this process when the farm is made. */
  cwd: { standard: nothing, check: check.directory },
  /** process.argv from index 2 on. */
  argv: { standard: () => [], check: check.strings },
  /** Options of the node executable. */
  execArgv: { standard: inheritedExecArgv, check: check.strings },
  execPath: { standard: () => process.execPath, check: check.text },
  /** A copy is `workerData` in farm/worker. */
  workerData: { standard: nothing, check: check.anything, notForFork: true },
  stdout: { standard: inherit, check: output },
  stderr: { standard: inherit, check: output },
  /** What a worker has started ends with it, and with this process. */
  killTree: { standard: () => true, check: check.boolean },
  /** Starts each worker with an inspector on a free port. */
  inspect: { standard: () => false, check: check.boolean },
  codec: { standard: () => 'default', check: check.codec, notForFork: true },
  /** Binary of 64 KiB and more arrives as a view of shared memory; false: always as a copy. */
  views: { standard: () => true, check: check.boolean, notForFork: true },
  /** µs a worker looks for the next task before it sleeps. */
  spin: { standard: () => 20, check: check.integer(0, 1000), notForFork: true },
  /** Bytes of shared memory for arguments, and as many for each worker's results; undefined: a quarter of what the process may have. */
  maxSharedMemory: { standard: nothing, check: check.integer(1 << 20, Number.MAX_SAFE_INTEGER), notForFork: true },
  /** What each worker may use: bytes, CPUs, ms and numbers; lib/limits.js. */
  limits: { standard: nothing, check: limitsCheck },
  /** Other names for some of them, and V8's limits in MiB. */
  resourceLimits: { standard: nothing, check: resourceLimitsCheck },
  /** The message by which a fork script says that it is ready; undefined: it is ready at once. */
  ready: { standard: nothing, check: check.json, forkOnly: true },
};

/** @type {Record<string, Option>} */
const TASK = {
  timeout: { standard: nothing, check: check.duration(1) },
  queueTimeout: { standard: nothing, check: check.duration(1) },
  retries: { standard: nothing, check: anyCount },
  retryOn: { standard: nothing, check: failures },
  /** Higher goes first. */
  priority: { standard: nothing, check: check.integer(-1000, 1000) },
  /** Cancels the task. */
  signal: { standard: nothing, check: check.abortSignal },
  /** Is called with each value that the task emits, before its result. */
  onProgress: { standard: nothing, check: check.aFunction },
};

/** @type {Record<string, unknown>} */
const UNSET = Object.fromEntries(Object.keys(TASK).map((name) => [name, undefined]));

/** @type {Record<string, Option>} */
const MAP = {
  /** Tasks of this map that are under way at a time; undefined: twice the farm's `max`. */
  concurrency: { standard: nothing, check: check.integer(1, 1 << 20) },
  /** Results in the order of the items; false: as they come. */
  ordered: { standard: () => true, check: check.boolean },
  signal: { standard: nothing, check: check.abortSignal },
};

/** @type {Record<string, Option>} */
const CLOSE = {
  /** ms after which what is left is destroyed. */
  timeout: { standard: () => 30_000, check: check.duration(0) },
};

/** @type {Record<string, Option>} */
const STATS = {
  /** The times start anew after this. */
  reset: { standard: () => false, check: check.boolean },
};

/**
 * @param {any} source the worker as the user named it; `{ fork }` is a fork-style worker
 * @param {any} [options]
 * @returns {Readonly<Record<string, any>>} every option by name, plus `fork: boolean`
 */
function farmOptions(source, options) {
  const fork = isForkSource(source);
  const given = entriesOf(options, FARM, 'createService');
  /** @type {Record<string, any>} */
  const result = { fork };
  for (const [name, option] of Object.entries(FARM)) {
    const value = given[name];
    if (value !== undefined && fork && option.notForFork) {
      throw optionError(name, value, `${name} cannot be given to a fork-style worker: it is a plain child_process.fork() script`);
    }
    if (value !== undefined && !fork && option.forkOnly) {
      throw optionError(name, value, `${name} is only for a fork-style worker: createService({ fork: 'script.js' }, { ${name} })`);
    }
    result[name] = value === undefined ? option.standard() : checked(name, option.check, value);
  }
  if (result.max !== undefined) checkMin(result.min, result.max);
  return Object.freeze(result);
}

/**
 * @param {number} min
 * @param {number} max as given, or what holds on this machine
 */
function checkMin(min, max) {
  if (min > max) throw optionError('min', min, `min (${min}) must not be above max (${max})`);
}

/**
 * @param {any} options of one task
 * @returns {Readonly<Record<string, any>> | null} null when nothing is set, which is the quick path
 */
function taskOptions(options) {
  if (options === undefined) return null;
  const given = entriesOf(options, TASK, 'run');
  let result = null;
  for (const name in given) {
    // Always of one shape.
    result ??= { ...UNSET };
    result[name] = checked(name, TASK[name].check, given[name]);
  }
  return result;
}

/**
 * @param {any} options of one map
 * @returns {{ concurrency: number | undefined, ordered: boolean, signal: AbortSignal | undefined }}
 */
function mapOptions(options) {
  const given = entriesOf(options, MAP, 'map');
  /** @type {any} */
  const result = {};
  for (const [name, option] of Object.entries(MAP)) {
    result[name] = given[name] === undefined ? option.standard() : checked(name, option.check, given[name]);
  }
  return result;
}

/**
 * @param {any} size what resize() was given
 * @param {{ max: number, min: number }} now
 */
function checkedSize(size, now) {
  const table = { max: FARM.max, min: FARM.min };
  const given = entriesOf(size ?? {}, table, 'resize');
  const max = given.max === undefined ? now.max : Number(checked('max', FARM.max.check, given.max));
  const min = given.min === undefined ? now.min : Number(checked('min', FARM.min.check, given.min));
  checkMin(min, max);
  return { max, min };
}

/**
 * @param {any} options what close() was given
 * @returns {number} ms
 */
function closeTimeout(options) {
  const { timeout } = entriesOf(options, CLOSE, 'close');
  return /** @type {any} */ (timeout === undefined ? CLOSE.timeout.standard() : checked('timeout', CLOSE.timeout.check, timeout));
}

/**
 * @param {any} options what stats() was given
 * @returns {boolean}
 */
function statsReset(options) {
  const { reset } = entriesOf(options, STATS, 'stats');
  return /** @type {any} */ (reset === undefined ? STATS.reset.standard() : checked('reset', STATS.reset.check, reset));
}

/**
 * @param {unknown} method of a task
 * @param {unknown} [args]
 */
function checkCall(method, args = []) {
  if (typeof method !== 'string') throw optionError('method', method, `method must be a string ('' for the module's single function), not ${check.show(method)}`);
  if (!Array.isArray(args)) throw optionError('args', args, `args must be an array of arguments, not ${check.show(args)}`);
}

/** @param {any} source */
function isForkSource(source) {
  return source !== null && typeof source === 'object' && !isUrl(source) && Object.hasOwn(source, 'fork');
}

/** @param {any} source also a URL of another realm, as under Jest */
function isUrl(source) {
  return typeof source.href === 'string' && typeof source.protocol === 'string';
}

/**
 * @param {any} options
 * @param {Record<string, Option>} table
 * @param {string} where
 * @returns {Record<string, any>}
 */
function entriesOf(options, table, where) {
  const given = Object.create(null);
  if (options === undefined) return given;
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw optionError('options', options, `The options of ${where} must be an object, not ${check.show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(table, name)) throw unknownOption(name, options[name], table, where);
  }
  // What somebody has added to all objects is nobody's option.
  const added = Object.keys(Object.prototype);
  for (const name in table) {
    if (added.length > 0 && added.includes(name) && !Object.hasOwn(options, name)) continue;
    // Once: it may be a getter.
    const value = options[name];
    if (value !== undefined) given[name] = value;
  }
  return given;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Record<string, Option>} table
 * @param {string} where
 */
function unknownOption(name, value, table, where) {
  const names = Object.keys(table);
  const elsewhere = table === FARM ? knownElsewhere(name) : undefined;
  const otherTable = table === FARM ? TASK : FARM;
  let advice;
  if (elsewhere !== undefined) advice = elsewhere;
  else if (Object.hasOwn(otherTable, name)) {
    advice = table === FARM ? 'It is an option of one task: farm.run(method, args, options).' : 'It is an option of the farm, not of one task.';
  } else {
    const nearest = nearestOf(name, names);
    advice = nearest === undefined ? `The options are: ${names.join(', ')}.` : `Did you mean "${nearest}"?`;
  }
  return optionError(name, value, `${where} has no option "${name}". ${advice}`);
}

module.exports = { checkCall, checkMin, checkedSize, closeTimeout, farmOptions, mapOptions, statsReset, taskOptions };
