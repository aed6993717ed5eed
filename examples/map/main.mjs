// One function over many items, as fast as the reader takes the results and no faster.
//   node examples/map/main.mjs

import { filesBelow } from './files.mjs';
import { WorkerFarm } from 'farm';

const farm = new WorkerFarm('./worker.js');

// Any iterable or async iterable; results come in its order.
let files = 0;
let bytes = 0;
for await (const { bytes: size } of farm.map(filesBelow(new URL('..', import.meta.url)), 'digest')) {
  files++;
  bytes += size;
}
console.log(`${files} files, ${bytes} bytes`);

// The source may be endless: it is read only a little ahead of the reader.
let read = 0;
function* numbers() {
  for (;;) yield ++read;
}
for await (const square of farm.map(numbers(), 'square', { concurrency: 4 })) {
  if (square > 1000) {
    console.log('first square above 1000:', square);
    break;
  }
}
console.log(`read ahead by at most ${2 * 4}:`, read - 32 <= 2 * 4);

// Each result as it comes; the first failure ends the loop.
const seen = [];
for await (const square of farm.map([3, 1, 2], 'square', { ordered: false })) seen.push(square);
console.log('in any order:', seen.sort((a, b) => a - b).join(' '));

await farm.close();
