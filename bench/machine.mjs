// What a reader has to know about where the figures come from.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { PACKAGES } from './rivals/index.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const versionIn = (path) => JSON.parse(readFileSync(here(path), 'utf8')).version;

function cpuQuota() {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'latin1').trim().split(' ');
    return quota === 'max' ? null : Number(quota) / Number(period);
  } catch {
    return null;
  }
}

export function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    quota: cpuQuota(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release().replace(/^(\d+\.\d+\.\d+).*/, '$1')} ${os.arch()}`,
  };
}

export function describeVersions() {
  const versions = { farm: existsSync(here('../package.json')) ? versionIn('../package.json') : 'not built' };
  for (const name of PACKAGES) versions[name] = versionIn(`./node_modules/${name}/package.json`);
  return versions;
}

/** Node 26 as the package of this platform ships it: a plain binary, locked, without an install script. */
function shippedNode() {
  const path = here(`./node_modules/node-${os.platform()}-${os.arch()}/bin/node`);
  return existsSync(path) ? [path] : [];
}

/**
 * @param {string[] | undefined} given paths from the command line
 * @returns {Array<{ path: string, version: string, unitsPerMs: number }>} each version once
 */
export function prepareNodes(given) {
  const found = new Map();
  for (const path of given ?? [process.execPath, ...shippedNode()]) {
    let version;
    try {
      version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
    } catch (error) {
      throw new Error(`bench: --node ${path} could not be run (${error.code ?? error.message}).\nGive the path of a node binary.`);
    }
    if (found.has(version)) continue;
    // As `npm install` by this Node leaves it.
    execFileSync(path, [here('../scripts/code-cache.mjs')]);
    const unitsPerMs = Number(execFileSync(path, [here('./calibrate.mjs')], { encoding: 'utf8' }));
    found.set(version, { path, version, unitsPerMs });
  }
  return [...found.values()];
}
