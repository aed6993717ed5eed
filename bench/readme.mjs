// The table on the README's first screen, made of the same samples as RESULTS.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { Figures } from './figures.mjs';
import { show } from './report.mjs';
import { RIVALS } from './rivals/index.mjs';

const ROWS = ['farm', 'worker-farm', 'jest-processes', 'piscina', 'tinypool', 'workerpool', 'fork-json', 'threads'];
const COLUMNS = [
  ['trivial calls/s, 64 in flight', 'trivial', 'rate', '/s'],
  ["main thread's CPU per call, µs", 'trivial', 'mainCpu', 'µs'],
  ['one call at a time, p50 µs', 'one-call', 'p50', 'µs'],
  ['10 KB object echo, calls/s', 'object-echo', 'rate', '/s'],
  ['1 MiB Buffer in and out, calls/s', 'buffer-echo', 'rate', '/s'],
];
const BEGIN = '<!-- bench:table -->';
const END = '<!-- /bench:table -->';

const row = (cells) => `| ${cells.join(' | ')} |`;

/** @param {any} results as written to results.json @param {Record<string, any>} workloads name → module */
export function readmeTable({ date, machine, settings, nodes, samples }, workloads) {
  const figures = nodes.map((node) => new Figures(samples.filter((sample) => sample.node === node), workloads));
  const cell = (rival, workload, metric, unit) => {
    const values = figures.map((each) => show(each.median(workload, metric, rival), unit));
    return values.every((value) => value === '–') ? '–' : values.join(' / ');
  };
  const majors = nodes.map((node) => node.split('.')[0]).join(' / ');
  const head = [`${settings.workers} workers, ${machine.cores} cores, Node ${majors}`, ...COLUMNS.map(([title]) => title)];
  const rows = ROWS.map((rival) => [RIVALS[rival].label, ...COLUMNS.map(([, ...what]) => cell(rival, ...what))]);
  const rounds = settings.rounds === 1 ? 'one round' : `medians of ${settings.rounds} rounds`;
  return `${[row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')}

${machine.cpu}, ${machine.cores} cores, ${machine.system}, ${date}, ${rounds}: take the ratios, not the figures.
All workloads, the bars set for them and those that are missed are in [bench/RESULTS.md](bench/RESULTS.md).`;
}

/** Puts the table between its marks. @param {string} path of the README */
export function writeReadme(path, results, workloads) {
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`bench: the README has no ${BEGIN} … ${END}`);
  writeFileSync(path, `${text.slice(0, from)}${BEGIN}\n${readmeTable(results, workloads)}\n${text.slice(to)}`);
}
