'use strict';

/** What shared memory keeps for the next large values goes back to the system when none come. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { createService, farmOf } = require('../..');
const { make, hash } = require('../fixtures/calls/payload');
const { openFarm } = require('../fixtures/open-farm');

const MiB = 1024 * 1024;
const TEXT = 'x'.repeat(10 * MiB);
const resident = (farm) => farm.stats().memory.resident;

/** Ends when shared memory takes less than that; else the test runs out of its time. @param {any} farm @param {number} bytes */
async function cooled(farm, bytes) {
  while (resident(farm) > bytes) await pause(50);
}

test('of arguments and results, but for what somebody holds; and what comes later finds its place', async () => {
  const farm = openFarm('calls/payload.js');
  const { service } = farm;
  const results = await Promise.all(Array.from({ length: 6 }, (_, i) => service.exchange(make(MiB + i, i), MiB, i)));
  await service.keep(make(MiB, 77));
  const echoes = await Promise.all(Array.from({ length: 10 }, () => service.echo(TEXT)));
  expect(echoes.every((text) => text === TEXT)).toBe(true);
  const kept = resident(farm);
  expect(kept).toBeGreaterThan(30 * MiB);
  const held = results.length * MiB + MiB;
  await cooled(farm, held * 2 + 4 * MiB);

  expect(results.map(({ bytes }) => hash(bytes))).toEqual(results.map((_, i) => hash(make(MiB, i))));
  expect(await service.kept()).toEqual([hash(make(MiB, 77))]);
  expect(await service.echo(TEXT)).toBe(TEXT);
  expect(resident(farm)).toBeGreaterThan(20 * MiB);
  // Once more: it is no single shot.
  await cooled(farm, held * 2 + 4 * MiB);
}, 120_000);

test('of a worker whose code computes without end', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-quiet-'));
  const file = path.join(folder, 'go');
  try {
    const farm = openFarm('calls/payload.js');
    const text = farm.service.text(10 * MiB);
    const blocked = farm.service.block(file);
    expect(await text).toBe('ü'.repeat(10 * MiB));
    expect(resident(farm)).toBeGreaterThan(15 * MiB);
    await cooled(farm, 2 * MiB);
    fs.writeFileSync(file, '');
    expect(await blocked).toBe('was blocked');
    expect(await farm.service.echo(TEXT)).toBe(TEXT);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}, 120_000);

test('of workers that are gone, but for what somebody holds', async () => {
  const farm = openFarm('calls/payload.js');
  const { service } = farm;
  const held = [];
  for (let i = 0; i < 5; i++) {
    expect(await Promise.all([1, 2, 3].map(() => service.echo(TEXT)))).toEqual([TEXT, TEXT, TEXT]);
    held.push((await service.exchange(make(10, i), MiB, i)).bytes);
    await farm.reload();
  }
  while ((farm.stats().exits.reload ?? 0) < held.length) await pause(50);
  await cooled(farm, (held.length + 3) * MiB);
  expect(held.map(hash)).toEqual(held.map((_, i) => hash(make(MiB, i))));
  await farm.close();
  expect(held.map(hash)).toEqual(held.map((_, i) => hash(make(MiB, i))));
}, 120_000);

test('of a fork script', async () => {
  const service = createService({ fork: path.join(__dirname, '..', 'fixtures', 'fork', 'answers.js') });
  const farm = farmOf(service);
  try {
    expect(await service.request(['make', 5 * MiB])).toBe('ü'.repeat(5 * MiB));
    expect(await service.request(['size', TEXT])).toBe(TEXT.length);
    expect(resident(farm)).toBeGreaterThan(18 * MiB);
    await cooled(farm, 2 * MiB);
    expect(await service.request(['make', 5 * MiB])).toBe('ü'.repeat(5 * MiB));
  } finally {
    await farm.destroy();
  }
}, 120_000);
