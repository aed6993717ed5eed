'use strict';

// The system does not always give a thread: each farm that is made without its supervisor says so, not only the first.

const { program } = require('./fixtures/life/processes');

test('a farm whose threads cannot be had is refused, however often it is tried', async () => {
  const { stdout, stderr } = await program(
    `
    for (let n = 0; n < 3; n++) {
      try {
        new WorkerFarm(worker, { max: 1 });
        say('made');
      } catch (error) {
        say(error.code, /could not be opened: thread: /.test(error.message));
      }
    }
    process.exit();
    `,
    // More for the stack of a thread than there are addresses.
    { env: { ...process.env, RUST_MIN_STACK: String(2 ** 50) } },
  );
  expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({ lines: Array(3).fill('ERR_FARM_START true'), stderr: '' });
});
