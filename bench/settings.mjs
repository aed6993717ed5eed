// The command line, checked, with what follows from it.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { RIVALS } from './rivals/index.mjs';
import { WORKLOADS } from './workloads/index.mjs';

const USAGE = `npm run bench -- [--only workload,…] [--rivals rival,…] [--rounds N] [--node /path/to/node …] [--quick]

  --only     workloads: ${WORKLOADS.join(', ')}
  --rivals   rivals (farm is always measured): ${Object.keys(RIVALS).slice(1).join(', ')}
  --rounds   how often each is measured; default 3, with --quick 1
  --node     a Node binary; may be given several times; default: this one and Node 26
  --quick    short measurements for a first look; RESULTS.md stays as it is
  --workers  default 2`;

function names(given, known, what) {
  if (given === undefined) return known;
  const chosen = given.split(',').map((name) => name.trim()).filter(Boolean);
  const wrong = chosen.filter((name) => !known.includes(name));
  if (wrong.length > 0) {
    throw new Error(`bench: there is no ${what} ${wrong.join(', ')}.\nThere are: ${known.join(', ')}.`);
  }
  return known.filter((name) => chosen.includes(name));
}

function positive(given, fallback, option) {
  if (given === undefined) return fallback;
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) throw new Error(`bench: --${option} takes a whole number from 1 up, not ${given}.`);
  return number;
}

/** @param {string[]} argv */
export function readSettings(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      rivals: { type: 'string' },
      rounds: { type: 'string' },
      workers: { type: 'string' },
      node: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { help: USAGE };
  const quick = Boolean(values.quick);
  const others = names(values.rivals, Object.keys(RIVALS), 'rival').filter((name) => name !== 'farm');
  const workers = positive(values.workers, 2, 'workers');
  return {
    quick,
    workloads: names(values.only, WORKLOADS, 'workload'),
    rivals: ['farm', ...others],
    rounds: positive(values.rounds, quick ? 1 : 3, 'rounds'),
    nodes: values.node,
    workers,
    cores: os.availableParallelism(),
    ms: quick ? 200 : 800,
    warmUpMs: quick ? 100 : 300,
    // RESULTS.md shows whole runs only; a part or a quick look goes to the terminal.
    whole: !quick && values.only === undefined && values.rivals === undefined,
  };
}
