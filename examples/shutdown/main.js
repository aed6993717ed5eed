'use strict';

// A queue of files: each order in the inbox is handled by a worker, its result goes to the outbox. Ends without loss at
// SIGTERM and SIGINT: takes no more orders, finishes those under way, closes the farm. What is not done stays in the inbox.
//   node examples/shutdown/main.js <inbox> <outbox>    two directories; each file in the inbox is an order
//
// Give the process manager a kill timeout above GRACE, or set GRACE (ms) below its own: PM2 waits 1.6 s (`kill_timeout`),
// Docker 10 s (`--time`), Kubernetes 30 s (`terminationGracePeriodSeconds`), systemd 90 s (`TimeoutStopSec`; with
// `KillMode=mixed`, else it ends the workers at the same moment).

const fs = require('node:fs');
const { setTimeout: pause } = require('node:timers/promises');
const { WorkerFarm } = require('farm');

const [, , inbox, outbox] = process.argv;
if (outbox === undefined) {
  console.error('usage: node examples/shutdown/main.js <inbox> <outbox>   (two directories)');
  process.exit(2);
}
const GRACE = Number(process.env.GRACE ?? 1200);

const farm = new WorkerFarm('./worker.js', { max: 2 });
const stop = new AbortController();

// `once`: a second signal ends the process as it would without a handler. As PID 1 of a container a process without
// handlers would not hear SIGTERM at all.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    console.log(`${signal}: no more orders`);
    stop.abort();
    // Whoever is still at work then is given up; its order stays.
    setTimeout(() => farm.destroy(), GRACE).unref();
  });
}

/** The names of the orders, as they come, until it is time to stop. */
async function* orders() {
  const taken = new Set();
  while (!stop.signal.aborted) {
    for (const name of fs.readdirSync(inbox).filter((each) => !taken.has(each))) {
      if (stop.signal.aborted) return;
      taken.add(name);
      yield [name, inbox, outbox];
    }
    await pause(50, undefined, { signal: stop.signal }).catch(() => {});
  }
}

async function main() {
  const under = new Set();
  let done = 0;
  for await (const args of orders()) {
    const task = farm.run('handle', args).then(
      () => done++,
      (error) => console.error(`${args[0]} stays in the inbox: ${error.code}`),
    );
    under.add(task);
    task.finally(() => under.delete(task));
    // Not more than are worked on, so that little is to be finished when it is time to stop.
    if (under.size >= farm.options.max) await Promise.race(under);
  }
  await farm.close();
  await Promise.all(under);
  console.log(`closed: ${done} orders done`);
}

main();
