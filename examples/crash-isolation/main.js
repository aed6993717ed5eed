'use strict';

// A worker that ends takes down the task that it runs, and nothing else.
//   node examples/crash-isolation/main.js

const { createService, farmOf } = require('farm');

async function main() {
  const service = createService('./worker.js', { max: 2, stderr: 'ignore' });

  const failing = [service.exit(3), service.segfault(), service.throwLater()];
  // These wait behind them, and run on the workers that take their place.
  const working = Array.from({ length: 100 }, (_, n) => service.add(n, n));

  for (const { reason } of await Promise.allSettled(failing)) {
    const { code, exitCode, signal, cause } = reason;
    console.log(code, '| exit code', exitCode, '| signal', signal, '| cause', cause?.message);
  }
  console.log('the others:', (await Promise.all(working)).reduce((a, b) => a + b));

  await farmOf(service).close();
}

main();
