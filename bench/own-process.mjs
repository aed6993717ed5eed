// Runs measure.mjs in a process of its own and sees to it that nothing of it is left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { marked } from './clocks.mjs';

const script = fileURLToPath(new URL('./measure.mjs', import.meta.url));
const LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 5_000;
const MARK = 'FARM_BENCH_MEASUREMENT';
const RESULT = /^@measured (.*)\n/m;
let serial = 0;

/** The measurement in progress; an interrupted run takes it along. */
let current = '';

function killMarked(mark) {
  const left = marked(mark);
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended by itself
    }
  }
  return left.length;
}

/** Waits for all processes of a measurement: workers may need some milliseconds to see that their parent is gone. */
async function waitUntilGone(mark) {
  for (let i = 0; i < 100; i++) {
    if (marked(mark).length === 0) return 0;
    await sleep(10);
  }
  return killMarked(mark);
}

export function stopCurrent() {
  if (current) killMarked(current);
}

/**
 * @param {string} node
 * @param {string} rival
 * @param {string} workload
 * @param {object} settings
 * @returns {Promise<{ metrics?: Record<string, number>, error?: string, left: number, stuck: boolean }>}
 *   left: processes that had to be killed; stuck: the pool did not stop in time
 */
export async function measureInOwnProcess(node, rival, workload, settings) {
  const value = `${process.pid}.${++serial}`;
  const mark = `${MARK}=${value}`;
  current = mark;
  const child = spawn(node, [script, rival, workload, JSON.stringify(settings)], {
    env: { ...process.env, [MARK]: value },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { err = (err + text).slice(-2000); });
  let late = false;
  const end = () => {
    late = true;
    child.kill('SIGKILL');
  };
  let limit = setTimeout(end, LIMIT_MS);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const measured = RESULT.test(out);
    out += text;
    if (measured || !RESULT.test(out)) return;
    clearTimeout(limit);
    limit = setTimeout(end, STOP_LIMIT_MS); // all that is left to do is to stop the pool
  });
  // 'exit', not 'close': a child that outlives its parent keeps the pipes open.
  const [code, signal] = await once(child, 'exit');
  clearTimeout(limit);
  const left = await waitUntilGone(mark);
  await sleep(5); // what was written last
  child.stdout.destroy();
  child.stderr.destroy();
  current = '';

  const line = RESULT.exec(out);
  if (line) return { ...JSON.parse(line[1]), left, stuck: late };
  const why = late ? `no result within ${LIMIT_MS / 1000} s` : `ended without a result (code ${code}, signal ${signal})`;
  return { error: `${why}\n${err}`.trim(), left, stuck: false };
}
