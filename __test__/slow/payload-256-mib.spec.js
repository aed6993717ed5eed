'use strict';

const { readFileSync } = require('node:fs');
const { openFarm } = require('../fixtures/open-farm');
const { make, hash } = require('../fixtures/calls/payload');

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** Bytes that this machine has left, or 0 where that cannot be found out. */
function available() {
  const line = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  const limits = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].map((file) => {
    try {
      return Number(readFileSync(file, 'utf8')) || Infinity;
    } catch {
      return Infinity;
    }
  });
  return Math.min(line === null ? 0 : Number(line[1]) * 1024, ...limits);
}

// Five times its size at the peak: two originals, two blocks, what the checks need.
const enough = available() >= 4 * GiB;
const title = enough ? '' : ` (skipped: less than 4 GiB of memory are left, ${Math.round(available() / MiB)} MiB)`;

(enough ? test : test.skip)(`256 MiB go there and come back unchanged${title}`, async () => {
  const { service } = openFarm('calls/payload.js');
  const pid = await service.pid();
  const bytes = make(256 * MiB, 1);
  const back = await service.echo(bytes);
  expect(back).toHaveLength(256 * MiB);
  expect(hash(back)).toBe(hash(bytes));
  expect(await service.pid()).toBe(pid);
});

(enough ? test : test.skip)(`sparse calls of 64 MiB leave no more in use than one takes${title}`, async () => {
  const farm = openFarm('calls/payload.js', { views: false });
  for (let i = 0; i < 8; i++) {
    expect(await farm.service.size(make(64 * MiB, i))).toBe(64 * MiB);
    expect(farm.stats().memory.shared).toBeLessThanOrEqual(64 * MiB);
  }
});
