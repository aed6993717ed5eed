// The benchmark: workloads × rivals × Nodes, each measurement in a process of its own, rivals turn and turn about.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The rivals are installed here and nowhere else: farm itself does not depend on them. */
function install() {
  if (existsSync(here('./node_modules/piscina/package.json'))) return;
  const { status } = spawnSync('npm', ['ci'], { cwd: here('.'), stdio: 'inherit' });
  if (status !== 0) {
    console.error('bench: the rivals could not be installed.\nRun "npm ci" in bench/ with a network and start again.');
    process.exit(1);
  }
}

function* measurements({ workloads, rivals, rounds, quick }, modules, nodes) {
  for (const workload of workloads) {
    const { rivals: taking = rivals, repeats } = modules[workload];
    const field = rivals.filter((rival) => taking.includes(rival));
    const times = repeats ? repeats[quick ? 'quick' : 'full'] : rounds;
    for (let round = 0; round < times; round++) {
      for (const node of nodes) {
        // Each round begins with another rival: none has the place after the heaviest every time.
        for (let i = 0; i < field.length; i++) yield { workload, round, node, rival: field[(i + round) % field.length] };
      }
    }
  }
}

async function main() {
  const { readSettings } = await import('./settings.mjs');
  const settings = readSettings(process.argv.slice(2));
  if (settings.help) return console.log(settings.help);
  install();
  const { describeMachine, describeVersions, prepareNodes } = await import('./machine.mjs');
  const { measureInOwnProcess, stopCurrent } = await import('./own-process.mjs');
  const { writeReadme } = await import('./readme.mjs');
  const { notesOf, report } = await import('./report.mjs');
  const { loadWorkload } = await import('./workloads/index.mjs');

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      stopCurrent();
      process.exit(1);
    });
  }
  const modules = {};
  for (const name of settings.workloads) modules[name] = await loadWorkload(name);
  const nodes = prepareNodes(settings.nodes);
  const samples = [];
  let shown = '';
  for (const { workload, round, node, rival } of measurements(settings, modules, nodes)) {
    if (shown !== workload) process.stderr.write(`${shown && '\n'}${workload} `);
    shown = workload;
    const { workers, ms, warmUpMs, quick } = settings;
    const sample = await measureInOwnProcess(node.path, rival, workload, {
      workers, ms, warmUpMs, quick, unitsPerMs: node.unitsPerMs,
    });
    samples.push({ node: node.version.slice(1), workload, rival, round, ...sample });
    process.stderr.write(sample.error ? '!' : '.');
  }
  process.stderr.write('\n');

  const { nodes: _paths, ...kept } = settings;
  const results = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: describeVersions(),
    settings: kept,
    nodes: nodes.map(({ version }) => version.slice(1)),
    samples,
  };
  writeFileSync(here('./results.json'), `${JSON.stringify(results, null, 1)}\n`);
  const path = here('./RESULTS.md');
  const text = report(results, modules, existsSync(path) ? notesOf(readFileSync(path, 'utf8')) : '');
  if (settings.whole) {
    writeFileSync(path, text);
    writeReadme(here('../README.md'), results, modules);
  } else console.log(text);
}

main().catch((error) => {
  const expected = error.message?.startsWith('bench:') || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
});
