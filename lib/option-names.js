'use strict';

/** Advice for an option name that we do not have: another pool's word for ours, or a slip of the keyboard. */

const RECYCLE_TASKS = 'Use recycle: { tasks }.';
const AT_THE_TOP = 'env, cwd, argv, execArgv, execPath, stdout and stderr are options of their own.';
const ALWAYS_PROCESSES = 'Workers of a farm are always processes.';
const FIRST_ARGUMENT = 'The worker module is the first argument.';

/** @param {string} name */
const ours = (name) => `Here it is called "${name}".`;

/** Words of other pools, in lower case. @type {Record<string, string>} */
const ELSEWHERE = {
  concurrency: `${ours('max')} (Tasks at once in one worker: "tasksPerWorker".)`,
  maxconcurrency: ours('max'),
  maxworkers: ours('max'),
  numworkers: ours('max'),
  maxthreads: ours('max'),
  numthreads: ours('max'),
  maxconcurrentworkers: ours('max'),
  maxprocesses: ours('max'),
  processes: ours('max'),
  poolsize: ours('max'),
  size: ours('max'),
  threads: ours('max'),
  workers: ours('max'),
  autostart: 'Use min: so many workers are started at once, and kept.',
  minworkers: ours('min'),
  minthreads: ours('min'),
  maxcalltime: ours('timeout'),
  maxtasktime: ours('timeout'),
  tasktimeout: ours('timeout'),
  calltimeout: ours('timeout'),
  maxqueuetime: ours('queueTimeout'),
  idletime: ours('idleTimeout'),
  maxidletime: ours('idleTimeout'),
  workerterminatetimeout: ours('grace'),
  terminatetimeout: ours('grace'),
  forcedkilltime: ours('grace'),
  killtimeout: ours('grace'),
  stoptimeout: 'Ours are "grace" (until SIGTERM), close({ timeout }), and "stoppedTimeout" for a worker that a signal has stopped.',
  stalledtimeout: ours('stallTimeout'),
  heartbeattimeout: ours('stallTimeout'),
  closetimeout: 'It is an argument: close({ timeout }).',
  concurrenttasksperworker: ours('tasksPerWorker'),
  maxconcurrentcallsperworker: ours('tasksPerWorker'),
  maxconcurrentcalls: `${ours('maxQueue')} (It counts the tasks that wait, without those that run.)`,
  maxqueuesize: ours('maxQueue'),
  maxqueue: ours('maxQueue'),
  queuesize: ours('maxQueue'),
  queuelimit: ours('maxQueue'),
  highwatermark: ours('maxQueue'),
  maxretries: ours('retries'),
  retrycount: ours('retries'),
  retryattempts: ours('retries'),
  maxcallsperworker: RECYCLE_TASKS,
  maxtasksperchild: RECYCLE_TASKS,
  maxtasksperworker: RECYCLE_TASKS,
  maxtasks: RECYCLE_TASKS,
  idlememorylimit: 'Use recycle: { memory }, in bytes of private memory.',
  maxmemorylimitbeforerecycle: 'Use recycle: { memory }, in bytes of private memory.',
  maxage: 'Use recycle: { age }, in ms.',
  isolateworkers: 'A farm has no fresh worker for each task. recycle: { tasks } replaces workers often; destroy() and a farm of its own for each task isolate it.',
  minspareworkers: ours('spares'),
  warmspares: ours('spares'),
  setupargs: ours('workerData'),
  exposedmethods: 'Every function that the worker module exports is a method.',
  onchild: "It is an event: farm.on('spawn', ({ workerId, pid }) => …).",
  initializer: 'Export a function "setup" from the worker module.',
  serialization: ours('codec'),
  silent: "Use stdout: 'ignore' or 'pipe', and the same for stderr.",
  stdio: 'Use stdout and stderr.',
  forkoptions: AT_THE_TOP,
  forkopts: AT_THE_TOP,
  forkargs: AT_THE_TOP,
  workeroptions: AT_THE_TOP,
  workerthreadopts: AT_THE_TOP,
  maxmemory: 'Use limits: { memory }, in bytes.',
  memorylimit: 'Use limits: { memory }, in bytes.',
  memory: 'Use limits: { memory }, in bytes.',
  cpu: 'Use limits: { cpu }; 1 is one CPU.',
  nice: 'Use limits: { nice }.',
  niceincrement: 'Use limits: { nice }.',
  affinity: 'Use limits: { affinity }.',
  runtime: ALWAYS_PROCESSES,
  workertype: ALWAYS_PROCESSES,
  enableworkerthreads: ALWAYS_PROCESSES,
  filename: FIRST_ARGUMENT,
  workerpath: FIRST_ARGUMENT,
  script: FIRST_ARGUMENT,
  fork: "It goes into the first argument: createService({ fork: 'script.js' }).",
};

/**
 * @param {string} name
 * @returns {string | undefined} one sentence of advice
 */
function knownElsewhere(name) {
  const key = name.toLowerCase();
  return Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
}

/**
 * @param {string} name
 * @param {string[]} names
 * @returns {string | undefined} the one that is near enough to be meant
 */
function nearestOf(name, names) {
  let best;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    if (steps < least && steps < candidate.length) {
      best = candidate;
      least = steps;
    }
  }
  return best;
}

/**
 * Levenshtein distance, one row at a time.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

module.exports = { knownElsewhere, nearestOf };
