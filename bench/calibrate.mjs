// Prints how many units of tasks.cjs' spin() this Node does in a millisecond on a free core. Done once for each Node
// and handed to every measurement, so that all rivals are given the same work.
import { createRequire } from 'node:module';

const { spin } = createRequire(import.meta.url)('./tasks.cjs');

const UNITS = 2000;
for (const until = performance.now() + 300; performance.now() < until;) spin(UNITS);

let best = Infinity;
for (let i = 0; i < 15; i++) {
  const start = performance.now();
  spin(UNITS);
  best = Math.min(best, performance.now() - start);
}
console.log(UNITS / best);
