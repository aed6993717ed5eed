'use strict';

// The basics: the functions of a module, run in other processes.
//   node examples/basics/main.js

const { createService, farmOf } = require('farm');

async function main() {
  const service = createService('./worker.js', { max: 2 });

  console.log('3 + 4 =', await service.add(3, 4));

  // Calls made together run side by side, one in each worker.
  const counts = await Promise.all([1_000, 100_000, 1_000_000].map((below) => service.countPrimes(below)));
  console.log('primes below 1e3, 1e5, 1e6:', counts.join(', '));

  // What a function throws arrives as it was thrown: class, message, own properties, and the worker's stack.
  try {
    await service.half(7);
  } catch (error) {
    console.log(error instanceof RangeError, error.message, error.number);
  }

  // A function as last argument is a callback.
  await new Promise((resolve) => {
    service.half(84, (error, result) => resolve(console.log('half of 84 is', error ?? result)));
  });

  // Let the workers finish and leave. Without this the process would end too: an idle farm does not hold it.
  await farmOf(service).close();
}

main();
