'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { openFarm } = require('../fixtures/open-farm');

test('100000 tasks bring no wake-up that had to be rescued', async () => {
  const farm = openFarm('calls/echo.js', { max: 2 });
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 5000 }, (_, i) => (i % 2 ? farm.service.echo(i) : farm.service.later(i))));
    for (let i = 0; i < 500; i++) await farm.service.echo(i);
    await Promise.all(Array.from({ length: 64 }, async () => {
      for (let i = 0; i < 70; i++) await farm.service.echo(i);
    }));
  }
  expect(farm.stats()).toMatchObject({ tasks: { open: 0 }, rescuedWakeups: 0 });
  expect(farm.stats().tasks.settled).toBeGreaterThan(99_000);
});

test('a farm with nothing to do uses no CPU, its workers up', async () => {
  const script = path.join(__dirname, '..', 'fixtures', 'calls', 'idles.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 100_000 });
  const { ticks, workers } = JSON.parse(stdout);
  expect(workers).toBe(2);
  expect(ticks).toBeLessThanOrEqual(1);
}, 120_000);
