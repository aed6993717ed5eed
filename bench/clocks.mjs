// CPU time and memory as the kernel counts them: Node's process.cpuUsage() knows neither a single thread nor a child.
import { readdirSync, readFileSync } from 'node:fs';

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it ended between the listing and the reading
  }
}

/** Nanoseconds on a CPU: the first field of schedstat, exact at every switch and at most one tick behind while running. */
const onCpu = (path) => Number(read(path).split(' ', 1)[0]);

/** CPU microseconds of the calling (main) thread. */
export function mainThreadCpu() {
  if (typeof process.threadCpuUsage === 'function') { // Node 23.9 and later
    const { user, system } = process.threadCpuUsage();
    return user + system;
  }
  process.cpuUsage(); // makes the kernel bring the running thread's clock up to date
  return onCpu(`/proc/self/task/${process.pid}/schedstat`) / 1000;
}

const listed = (path) => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** This process's children and theirs, by the parent each names in its stat line. */
export function descendants(root = process.pid) {
  const children = new Map();
  for (const name of listed('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The command, in parentheses, may itself hold spaces and parentheses.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(Number(name));
  }
  const found = [];
  const visit = (pid) => {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(root);
  return found;
}

const ofProcess = (pid) => listed(`/proc/${pid}/task`).reduce((sum, thread) => sum + onCpu(`/proc/${pid}/task/${thread}/schedstat`), 0);

/**
 * Starts to count the CPU of all threads of this process and of everything it has started by now. What the counting
 * itself costs is outside.
 * @returns {() => number} microseconds since then
 */
export function meterAllCpu() {
  const children = descendants();
  const ofChildren = () => children.reduce((sum, pid) => sum + ofProcess(pid), 0) / 1000;
  const childrenBefore = ofChildren();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return user + system + ofChildren() - childrenBefore;
  };
}

/** Private memory in MB of one process: anonymous pages, never those of files or shared memory. */
export function privateMemory(pid) {
  const line = /^RssAnon:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`));
  return line ? Number(line[1]) / 1024 : 0;
}

/**
 * Processes whose environment carries `name=value`: what a measurement started, however it was detached.
 * @param {string} mark
 */
export function marked(mark) {
  return listed('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => read(`/proc/${name}/environ`).split('\0').includes(mark))
    .map(Number);
}
