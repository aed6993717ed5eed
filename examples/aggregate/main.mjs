// Map, then reduce: a large CSV file is read in parts by the workers, each gives back the sums of its part, and this
// process adds them up. The content of the file never passes through it.
//   node examples/aggregate/main.mjs [rows]

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { WorkerFarm } from 'farm';
import { writeReadings } from './readings.js';

const PART = 1 << 20;

const folder = mkdtempSync(path.join(os.tmpdir(), 'farm-aggregate-'));
const file = path.join(folder, 'readings.csv');
const farm = new WorkerFarm('./worker.js');
try {
  writeReadings(file, Number(process.argv[2] ?? 1_000_000));

  const total = new Map();
  for await (const summary of farm.map(parts(statSync(file).size), 'summarise', { ordered: false })) {
    for (const [station, { count, sum, least, most }] of summary) {
      const seen = total.get(station) ?? { count: 0, sum: 0, least: Infinity, most: -Infinity };
      total.set(station, { count: seen.count + count, sum: seen.sum + sum, least: Math.min(seen.least, least), most: Math.max(seen.most, most) });
    }
  }
  for (const [station, { count, sum, least, most }] of [...total].sort()) {
    console.log(`${station}: ${count} readings, ${least.toFixed(1)} to ${most.toFixed(1)}, mean ${(sum / count).toFixed(1)}`);
  }
} finally {
  await farm.close();
  rmSync(folder, { recursive: true });
}

function* parts(size) {
  for (let from = 0; from < size; from += PART) yield { file, from, to: Math.min(size, from + PART) };
}
