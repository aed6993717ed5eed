'use strict';

// Progress of a task, and the ways to end one early: a signal of the caller, or a time limit.
//   node examples/progress-and-cancel/main.js

const { WorkerFarm } = require('farm');

async function main() {
  const farm = new WorkerFarm('./worker.js', { max: 1 });

  const result = await farm.run('steps', [3], { onProgress: ({ step, of }) => console.log(`step ${step} of ${of}`) });
  console.log(result);

  for (const method of ['patient', 'asking', 'deaf']) {
    const before = await farm.run('pid');
    const stop = new AbortController();
    // Each says when it has started; then it is cancelled.
    const task = farm.run(method, [], { signal: stop.signal, onProgress: () => stop.abort(new Error('no longer wanted')) });
    const error = await task.catch((reason) => reason);
    const after = await farm.run('pid');
    console.log(`${method}: ${error.message}; ${after === before ? 'the same worker goes on' : 'a fresh worker has taken its place'}`);
  }

  const late = await farm.run('deaf', [], { timeout: 50 }).catch((error) => error);
  console.log(late.code);

  await farm.close();
}

main();
