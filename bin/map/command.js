'use strict';

/** `farm map`: puts its parts together, runs them, and says how it went. */

const { createHash } = require('node:crypto');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { parse } = require('./arguments');
const { EXIT, FatalError, UsageError } = require('./exit');
const { openInputs } = require('./inputs');
const { Journal } = require('./journal');
const { OutputFiles } = require('./output-files');
const { StandardOutput } = require('./standard-output');
const { StreamCheck } = require('./stream-check');
const { Prints } = require('./prints');
const { Progress } = require('./progress');
const { Run } = require('./run');
const { onSignals } = require('./signals');
const { summary } = require('./summary');
const { firstLine, Tally } = require('./tally');
const { openFarm } = require('./worker');

const RESOLUTION = 10;
/** ms that a killed command has for what it says last. */
const LAST_WORDS = 1500;

/** @param {string[]} given @returns {Promise<number>} exit code */
async function map(given) {
  const options = parse(given);
  if (options.help !== null) {
    await new Promise((resolve) => process.stdout.write(/** @type {string} */ (options.help), resolve));
    return EXIT.done;
  }
  if (options.inputs.length === 0 && process.stdin.isTTY) throw new UsageError(`farm map: no inputs\n\n${options.usage()}`);
  const farm = openFarm(options.worker, farmOptions(options));
  try {
    return await runIn(farm, { ...options, jobs: farm.options.max });
  } finally {
    await farm.destroy();
  }
}

/** @param {any} options of the command */
function farmOptions({ jobs, timeout, retries, workerData }) {
  const again = retries > 0 ? { retries, retryOn: ['exit', 'timeout', 'error'] } : {};
  return { max: jobs, timeout, workerData, stdout: 'pipe', stderr: 'pipe', ...again };
}

/** @param {any} farm @param {any} options */
async function runIn(farm, options) {
  const source = await openInputs(options);
  if (options.out !== undefined && source.names === null) throw new UsageError('farm map: --out needs files as inputs');
  const files = options.out === undefined ? null : new OutputFiles(/** @type {string[]} */ (source.names), options);
  const journal = options.resume === undefined ? null : Journal.open(options.resume, purpose(farm, source, options));
  if (journal !== null) source.check(new StreamCheck(journal));
  try {
    files?.begin(journal?.id ?? null);
  } catch (error) {
    await journal?.close();
    throw error;
  }
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();

  const tally = new Tally((line) => progress.say(line));
  const progress = new Progress(() => stateOf(), options.quiet || options.json, () => {
    farm.resumeOutput();
    run.wake();
  });
  const stateOf = () => {
    const done = tally.finished + (journal?.before ?? 0);
    const part = partOf(source, done + tally.failures, tally.bytesIn + tally.bytesBefore);
    return { done, failed: tally.failures, busy: farm.stats().workers.filter((/** @type {any} */ worker) => worker.running > 0).length, jobs: options.jobs, total: source.total, part };
  };
  const toTerminal = options.out === undefined && process.stdout.isTTY && process.stderr.isTTY;
  let readerGone = false;
  const sink =
    files ??
    new StandardOutput({
      written: journal === null ? undefined : (indexes) => indexes.forEach((index) => journal.done(index)),
      room: () => run.wake(),
      aside: toTerminal ? (write, endsLine) => progress.aside(write, endsLine) : (write) => write(),
      broken: (error) => {
        readerGone = error === null;
        if (error !== null) run.abort(error);
        run.abandon();
      },
    });
  const method = options.method ?? '';
  const run = new Run({ call: (value) => farm.run(method, [value]), source, sink, report: progress, journal, tally, options });
  journal?.start(() => sink.settled(), (error) => run.abort(error));
  new Prints(farm, progress);
  /** Starts that failed before anything was done: mostly all fail for one reason, which is said at the end. @type {{ who: string, why: string }[]} */
  const failedStarts = [];
  farm.on('workerError', (/** @type {any} */ error, /** @type {{ workerId: number }} */ { workerId }) => {
    const said = { who: `worker ${workerId}`, why: firstLine(error) };
    if (error?.code === 'ERR_FARM_START' && tally.finished === 0) failedStarts.push(said);
    else progress.say(`farm: ${said.who}: ${said.why}`);
  });
  let workersCpu = 0;
  farm.on('exit', (/** @type {{ cpuTime: number | null }} */ { cpuTime }) => (workersCpu += cpuTime ?? 0));
  const signals = onSignals({
    first: (signal) => {
      progress.say(`farm: ${signal}: finishing what runs; once more kills it`);
      run.stop();
    },
    second: () => {
      run.abandon();
      void farm.destroy();
      // Whoever reads standard error may not do so any more; nothing shall wait for that.
      setTimeout(() => process.exit(signals.code ?? EXIT.failed), LAST_WORDS);
    },
  });

  progress.start();
  try {
    await run.work();
    await Promise.race([sink.end(), run.givenUp]);
    await finish(farm, run, journal);
  } catch (error) {
    run.abort(/** @type {Error} */ (error));
  } finally {
    await sink.discard();
    progress.stop();
    signals.off();
    delay.disable();
  }
  if (readerGone && signals.code === null) return EXIT.done;
  if (run.fatal instanceof UsageError) throw run.fatal;
  for (const { who, why } of failedStarts) if (run.fatal === null || why !== firstLine(run.fatal)) process.stderr.write(`farm: ${who}: ${why}\n`);
  if (run.fatal !== null) process.stderr.write(`farm map: ${run.fatal.message}\n`);
  const facts = {
    done: tally.finished,
    failed: tally.failures,
    before: journal?.before ?? 0,
    bytesIn: Math.round(tally.bytesIn),
    bytesOut: sink.bytes,
    seconds: tally.seconds,
    jobs: options.jobs,
    workersCpuSeconds: workersCpu / 1000,
    loopDelayMs: Math.max(0, delay.max / 1e6 - RESOLUTION),
    failures: tally.first,
  };
  if (options.json) process.stderr.write(`${JSON.stringify(facts)}\n`);
  else if (!options.quiet) process.stderr.write(summary(facts));
  return signals.code ?? (run.fatal !== null || tally.failures > 0 ? EXIT.failed : EXIT.done);
}

/** @param {any} farm @param {InstanceType<typeof Run>} run @param {InstanceType<typeof Journal> | null} journal */
async function finish(farm, run, journal) {
  // Workers leave by themselves, so that their teardown runs and what they print last is seen.
  const gone = run.abandoned || run.fatal instanceof FatalError ? farm.destroy() : farm.close();
  await Promise.all([gone, journal?.close()]);
}

/**
 * How much of the work is done, 0 to 1. Some inputs cost by their number and some by their size, so both count.
 * @param {import('./inputs').Source} source @param {number} count @param {number} bytes
 */
function partOf({ total, totalBytes }, count, bytes) {
  const parts = [];
  if (total !== null) parts.push(total === 0 ? 1 : count / total);
  if (totalBytes) parts.push(bytes / totalBytes);
  return parts.length === 0 ? null : Math.min(1, parts.reduce((sum, part) => sum + part) / parts.length);
}

/** What a journal is for. @param {any} farm @param {import('./inputs').Source} source @param {any} options */
function purpose(farm, source, options) {
  const { method, out, ext, as, workerData } = options;
  const data = workerData === undefined ? undefined : createHash('sha256').update(JSON.stringify(workerData)).digest('hex');
  return { worker: farm.file, method: method ?? '', inputs: source.identity, as, out: out && path.resolve(out), ext, workerData: data };
}

module.exports = { map };
