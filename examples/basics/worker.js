'use strict';

// A worker module: whatever it exports can be called from the other process. Nothing has to be registered.

exports.add = (a, b) => a + b;

exports.countPrimes = (below) => {
  const composite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (composite[n]) continue;
    count++;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return count;
};

exports.half = async (n) => {
  if (n % 2 !== 0) throw Object.assign(new RangeError(`${n} is odd`), { number: n });
  return n / 2;
};
