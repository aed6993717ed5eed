'use strict';

/** The options of `farm map`: what they are called, what they may be, and the help. */

const { Command, CommanderError, InvalidArgumentError, Option } = require('commander');
const { UsageError } = require('./exit');

const EXAMPLES = `
Examples:
  farm map ./minify.js 'src/**/*.js' --out dist --ext .min.js
  farm map ./parse.js --method row --ndjson < rows.ndjson > parsed.ndjson
  find . -name '*.png' -print0 | farm map ./thumbnail.js -0 --out small
  zcat access.log.gz | farm map ./line.js --lines --ordered > lines.txt
  farm map ./fetch.js --lines --limit-rate 20/s --timeout 30 --resume urls.journal < urls.txt

The worker is a module; its function gets one input and returns the output. With --out a result is written to a file
under DIR, else to standard output: strings and Buffers as they are, other values as a line of JSON, undefined not at all.
Quote globs that this program and not the shell shall expand. After -- everything is a file, also what begins with a dash.

Exit codes: 0 all done, 1 some inputs failed, 2 wrong usage, 130 and 143 ended by SIGINT and SIGTERM.
On the first Ctrl-C no input is started any more and what runs is finished; the second one kills the workers.`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** @param {string} text */
function jobs(text) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 1024) throw new InvalidArgumentError('It must be a whole number from 1 to 1024.');
  return number;
}

/** @param {string} text */
function count(text) {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return Number(text);
}

/** @param {string} text seconds, or with a unit; @returns ms */
function duration(text) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * UNITS[/** @type {'s'} */ (match[2] ?? 's')];
  if (!(ms >= 1)) throw new InvalidArgumentError('It must be a time such as 30 (seconds), 500ms, 2m or 1h.');
  return ms;
}

/** @param {string} text @returns inputs per second */
function rate(text) {
  const match = /^(\d+(?:\.\d+)?)(?:\/(s|m|h))?$/.exec(text);
  const perSecond = match === null ? 0 : (Number(match[1]) * 1000) / UNITS[/** @type {'s'} */ (match[2] ?? 's')];
  if (!(perSecond > 0)) throw new InvalidArgumentError('It must be a number of inputs such as 10/s, 90/m or 1000/h.');
  return perSecond;
}

/** @param {string} text */
function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It must be JSON: ${/** @type {Error} */ (error).message}.`);
  }
}

/** @param {string} text */
function extension(text) {
  if (text.includes('/') || text.includes('\0')) throw new InvalidArgumentError('It must be the end of a file name, such as .min.js.');
  return text;
}

function program() {
  return new Command('farm map')
    .usage('[options] <worker> [files, globs or -]')
    .description("Runs a worker's function over inputs, on all cores.")
    .argument('[worker]', 'module with the function: a path, or the name of a package')
    .argument('[inputs...]', 'files and globs (**, {a,b}); - or nothing: names, one per line, from standard input')
    .option('--lines', 'each line of the input is one input (of standard input, or of the files given)')
    .option('--ndjson', 'the same, each line being JSON')
    .option('-0, --null', 'names on standard input are separated by zero bytes')
    .addOption(new Option('--as <what>', 'what the function gets').choices(['path', 'text', 'buffer', 'json']))
    .option('--method <name>', 'which function of the module; the module itself when it is left out')
    .option('--out <dir>', 'writes each result to a file; the path below the common directory is kept')
    .option('--ext <ending>', 'ending of the output files instead of that of the input, such as .min.js', extension)
    .option('--ordered', 'results on standard output in the order of the inputs')
    .option('-j, --jobs <n>', 'workers (default: as many CPUs as this process may use)', jobs)
    .option('--timeout <time>', 'an input may take so long: 30 (seconds), 500ms, 2m', duration)
    .option('--retries <n>', 'try an input so often again that has failed, ended its worker or taken too long', count)
    .option('--keep-going', 'go on when an input fails (the default)')
    .option('--fail-fast', 'start no input any more once one has failed')
    .option('--limit-rate <n/s>', 'start at most so many inputs in a second, minute or hour: 10/s, 90/m', rate)
    .option('--worker-data <json>', 'a value that each worker has as workerData of farm/worker', json)
    .option('--resume <journal>', 'keeps a journal in this file and leaves out what it says is done')
    .option('--quiet', 'no progress and no summary; failures are still named')
    .option('--json', 'the summary as a line of JSON on standard error')
    .helpOption('-h, --help', 'this help')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(farm map --help lists the options, with examples)')
    .exitOverride();
}

/** @typedef {ReturnType<typeof parse>} Options */

/**
 * @param {string[]} given
 * @returns {{ help: string | null, worker: string, inputs: string[], [option: string]: any }}
 */
function parse(given) {
  const said = { out: '', err: '' };
  const command = program().configureOutput({
    writeOut: (text) => (said.out += text),
    writeErr: (text) => (said.err += text),
    getOutHelpWidth: () => Math.min(process.stdout.columns ?? 110, 110),
    getErrHelpWidth: () => Math.min(process.stderr.columns ?? 110, 110),
  });
  try {
    command.parse(given, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help: said.out, worker: '', inputs: [] };
    throw new UsageError(said.err.trimEnd().replace(/^error: /, 'farm map: '));
  }
  const [worker, ...inputs] = command.args;
  const options = command.opts();
  if (worker === undefined || worker === '') throw new UsageError(`farm map: the worker is missing\n\n${command.helpInformation().trimEnd()}`);
  return { ...checked(options, inputs), help: null, worker, inputs, usage: () => command.helpInformation().trimEnd() };
}

/** @param {any} options @param {string[]} inputs */
function checked(options, inputs) {
  const records = options.lines || options.ndjson;
  const refused = [
    [options.lines && options.ndjson, '--lines and --ndjson exclude each other'],
    [options.keepGoing && options.failFast, '--keep-going and --fail-fast exclude each other'],
    [records && options.null, '-0 is for names of files, not for --lines and --ndjson'],
    [records && options.as === 'path', '--as path is for files; a line is no file'],
    [options.ndjson && options.as !== undefined && options.as !== 'json', `--as ${options.as} does not go with --ndjson; use --lines`],
    [records && options.out !== undefined, '--out needs files as inputs: a line has no name to write to'],
    [options.ext !== undefined && options.out === undefined, '--ext needs --out'],
    [options.null && inputs.some((input) => input !== '-'), '-0 reads the names from standard input; give no files beside it'],
    [!records && inputs.length > 1 && inputs.includes('-'), '- reads the names from standard input; give no files beside it'],
    [options.out === '', '--out needs the name of a directory'],
    [options.resume === '', '--resume needs the name of a file'],
  ].find(([wrong]) => wrong);
  if (refused) throw new UsageError(`farm map: ${refused[1]}`);
  return { ...options, as: options.as ?? (options.ndjson ? 'json' : records ? 'text' : 'path') };
}

module.exports = { parse };
