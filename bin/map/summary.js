'use strict';

/** What is said at the end. */

const { amount, size } = require('./figures');

/**
 * @typedef {object} Facts
 * @property {number} done
 * @property {number} failed
 * @property {number} before done according to the journal
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} seconds
 * @property {number} jobs
 * @property {number} workersCpuSeconds
 * @property {number} loopDelayMs the worst
 * @property {{ input: string, error: string }[]} failures the first of them
 */

/** @param {Facts} facts */
function summary(facts) {
  const { done, failed, before, failures } = facts;
  const lines = [`${amount(done)} done, ${amount(failed)} failed${before > 0 ? `, ${amount(before)} done before` : ''} in ${facts.seconds.toFixed(1)} s (${amount((done + failed) / facts.seconds)}/s)`];
  for (const { input, error } of failures) lines.push(`  ${input}: ${error}`);
  if (failed > failures.length) lines.push(`  and ${amount(failed - failures.length)} more`);
  lines.push(`${size(facts.bytesIn)} in, ${size(facts.bytesOut)} out`);
  const cpu = facts.workersCpuSeconds;
  lines.push(`CPU time of ${facts.jobs} ${facts.jobs === 1 ? 'worker' : 'workers'}: ${cpu.toFixed(1)} s, ${(cpu / facts.seconds).toFixed(2)} CPUs on average`);
  lines.push(`worst delay of this process's event loop: ${facts.loopDelayMs.toFixed(1)} ms`);
  return lines.map((line) => `farm: ${line}\n`).join('');
}

module.exports = { summary };
