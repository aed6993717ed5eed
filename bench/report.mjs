// RESULTS.md: bars first, then a table for each workload.
import { BARS } from './bars.mjs';
import { Figures } from './figures.mjs';
import { RIVALS } from './rivals/index.mjs';

const NOTES = '## Notes';
/** The folders of an absolute path: a report says nothing of where it was made. */
const ABSOLUTE = /(?:file:\/\/)?(?<![.\w])\/\S*\//g;

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i ? '---:' : '---'))), ...rows.map(row)].join('\n');

/** Three figures that count; thousands and millions by name. */
export function show(value, unit) {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (unit === '/s' && value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (unit === '/s' && value >= 1e4) return `${Math.round(value / 1e3)} k`;
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const ratioText = (ratio) => (ratio === undefined ? '–' : `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`);

/** @param {Record<string, any>} workloads those of this run; the bars of others are left out */
function barsTable(nodes, workloads) {
  const rows = BARS.filter(({ workload }) => workload in workloads).map(({ bar, judge }) => [bar, ...nodes.map(({ figures, major }) => {
    const found = judge(figures, major);
    return found ? `${found.text} ${found.hit ? 'hit' : '**miss**'}` : 'not measured';
  })]);
  return table(['bar', ...nodes.map(({ version }) => `Node ${version}`)], rows);
}

function workloadTables(name, workload, nodes) {
  const parts = [`### ${name}\n\n${workload.title}.`];
  for (const [key, { title, unit, higher }] of Object.entries(workload.metrics)) {
    const seen = new Set(nodes.flatMap(({ figures }) => figures.rivals(name)));
    const rows = Object.keys(RIVALS).filter((rival) => seen.has(rival)).map((rival) => [
      RIVALS[rival].label,
      ...nodes.flatMap(({ figures }) => [
        show(figures.median(name, key, rival), unit),
        rival === 'farm' ? '' : ratioText(figures.ratio(name, key, rival)),
      ]),
    ]);
    if (rows.length === 0) continue;
    const what = unit === '/s' ? title : `${title}, ${unit}`;
    const head = [`${what} (${higher ? 'more' : 'less'} is better)`, ...nodes.flatMap(({ version }) => [`Node ${version}`, 'farm ÷ rival'])];
    parts.push(table(head, rows));
  }
  return parts.join('\n\n');
}

/** Failures, a line for each kind: a pool that does not start fails in every workload in the same way. */
function troubles(samples) {
  const places = new Map();
  const add = ({ rival, node, workload }, what) => {
    const key = `${RIVALS[rival].label}, Node ${node}: ${what}`;
    places.set(key, (places.get(key) ?? new Set()).add(workload));
  };
  for (const sample of samples) {
    if (sample.error) add(sample, sample.error.split('\n')[0].replace(ABSOLUTE, ''));
    if (sample.stuck) add(sample, 'did not stop in time');
    else if (sample.left) add(sample, 'left processes behind, which were killed');
  }
  if (places.size === 0) return '';
  const lines = [...places].map(([what, where]) => `- ${what} (${[...where].join(', ')})`);
  return `## What went wrong\n\n${lines.join('\n')}\n\n`;
}

/** What people wrote under "Notes" outlives the next run. */
export function notesOf(text) {
  const at = text.indexOf(`\n${NOTES}\n`);
  return at < 0 ? '' : text.slice(at + 1 + NOTES.length).trim();
}

/**
 * @param {any} results as written to results.json
 * @param {Record<string, any>} workloads name → module
 * @param {string} notes
 */
export function report({ date, machine, versions, settings, nodes: versionsOfNode, samples }, workloads, notes = '') {
  const nodes = versionsOfNode.map((version) => ({
    version,
    major: Number(version.split('.')[0]),
    figures: new Figures(samples.filter((sample) => sample.node === version), workloads),
  }));
  const { cpu, cores, quota, memoryGiB, system } = machine;
  const limits = quota ? `, CPU quota ${quota}` : '';
  const listed = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');
  return `# Results

Written by \`npm run bench\` on ${date}. Every figure is a median over the rounds, every ratio the median of the ratios
within each round; absolute figures move from machine to machine, ratios less so. What is measured, and how: README.md.

- machine: ${cpu}, ${cores} cores${limits}, ${memoryGiB} GiB, ${system}
- workers: ${settings.workers}; rounds: ${settings.rounds}
- Node: ${versionsOfNode.join(', ')}
- versions: ${listed}

## Bars

${barsTable(nodes, workloads)}

## Workloads

${Object.entries(workloads).map(([name, workload]) => workloadTables(name, workload, nodes)).join('\n\n')}

${troubles(samples)}${NOTES}

${notes || 'None yet: where a bar is missed, what was tried and what bounds it belongs here.'}
`;
}
