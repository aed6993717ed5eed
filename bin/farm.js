#!/usr/bin/env node
'use strict';

/** The command `farm`: finds the subcommand, says what went wrong, and exits with its code. */

const { argumentsAsGiven } = require('./map/names');
const { EXIT, UsageError } = require('./map/exit');

const USAGE = `farm: process pools for Node.js, on the command line

  farm map <worker> [files, globs or -]   runs a worker's function over inputs in parallel
  farm map --help                         all of it, with examples
  farm --version
`;

async function main() {
  const [command, ...rest] = argumentsAsGiven();
  if (command === 'map') return require('./map/command').map(rest);
  if (command === '--version' || command === '-V') return print(`${require('../package.json').version}\n`);
  if (command === '--help' || command === '-h' || command === 'help') return print(USAGE);
  if (command === undefined) throw new UsageError(USAGE.trimEnd());
  throw new UsageError(`farm: there is no command ${JSON.stringify(command)}; the one there is: farm map (see farm --help)`);
}

/** @param {string} text */
async function print(text) {
  await new Promise((resolve) => process.stdout.write(text, resolve));
  return EXIT.done;
}

/** @param {any} error */
function failed(error) {
  if (error instanceof UsageError) return { text: error.message, code: EXIT.usage };
  return { text: error?.code?.startsWith?.('ERR_FARM_') ? `farm: ${error.message}` : `farm: ${error?.stack ?? error}`, code: EXIT.failed };
}

/** @param {number} code */
function leave(code) {
  // What is still on its way to a pipe would be lost; a reader that went away is no reason to stay.
  process.stderr.write('', () => process.exit(code));
}

// Whoever reads our messages may have gone.
process.stderr.on('error', () => {});
main().then(leave, (error) => {
  const { text, code } = failed(error);
  process.stderr.write(`${text}\n`, () => leave(code));
});
