'use strict';

const { joinStacks, rejectWithCaller } = require('../lib/caller-stack');

// V8 writes `at async name`; Jest's own formatting of stacks leaves the word out.

/** As a farm does it: the answer comes in a plain callback, long after the call. */
function submit(error) {
  return new Promise((resolve) => {
    setImmediate(() => rejectWithCaller(resolve, error));
  });
}

async function innerCaller(error) {
  await submit(error);
}

async function outerCaller(error) {
  await innerCaller(error);
}

test('the frames of the async functions that wait are joined to the stack', async () => {
  const error = new TypeError('in the worker');
  const own = error.stack;
  await expect(outerCaller(error)).rejects.toBe(error);
  const added = error.stack.slice(own.length);
  expect(error.stack.startsWith(own)).toBe(true);
  expect(added).toMatch(/the task was submitted by/);
  expect(added).toMatch(/at (async )?innerCaller .*caller-stack\.spec\.js/);
  expect(added).toMatch(/at (async )?outerCaller /);
  expect(added).not.toMatch(/lib.caller-stack\.js|node:internal/);
  expect(Object.keys(error)).toEqual([]);
});

test('Promise.all and return instead of await are seen too', async () => {
  async function waitsForAll(error) {
    await Promise.all([submit(error)]);
  }
  async function returns(error) {
    return submit(error);
  }
  async function awaitsThat(error) {
    await returns(error);
  }
  const first = new Error('1');
  await expect(waitsForAll(first)).rejects.toBe(first);
  expect(first.stack).toMatch(/at (async )?waitsForAll /);
  const second = new Error('2');
  await expect(awaitsThat(second)).rejects.toBe(second);
  expect(second.stack).toMatch(/at (async )?awaitsThat /);
});

test('an error that many tasks are rejected with, as the reason of a signal, gets frames once', async () => {
  const reason = new Error('shared');
  await expect(outerCaller(reason)).rejects.toBe(reason);
  const { stack } = reason;
  await Promise.all(Array.from({ length: 100 }, () => expect(outerCaller(reason)).rejects.toBe(reason)));
  expect(reason.stack).toBe(stack);
});

test.each([['a string', 'text'], ['undefined', undefined], ['null', null], ['an object', { stack: 'x' }]])(
  '%s is rejected with as it is', async (_, thrown) => {
    const settled = await outerCaller(thrown).then(() => 'resolved', (reason) => ({ reason }));
    expect(settled).toEqual({ reason: thrown });
  },
);

test('nobody waiting in an async function: the stack stays as it is', async () => {
  const error = new Error('e');
  const own = error.stack;
  const caught = new Promise((done) => {
    submit(error).catch(done);
  });
  expect(await caught).toBe(error);
  expect(error.stack.startsWith(own)).toBe(true);
});

test('a stack that is no text is left alone', () => {
  const error = new Error('e');
  error.stack = ['frames'];
  joinStacks(error, 'Error\n    at async caller (file.js:1:1)');
  expect(error.stack).toEqual(['frames']);
  const frozen = Object.freeze(new Error('f'));
  expect(() => joinStacks(frozen, 'Error\n    at async caller (file.js:1:1)')).not.toThrow();
});

test('a user function that formats stacks and throws does no harm', async () => {
  const { prepareStackTrace } = Error;
  const error = new Error('e');
  void error.stack;
  Error.prepareStackTrace = () => {
    throw new Error('formatting');
  };
  try {
    await expect(outerCaller(error)).rejects.toBe(error);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
});
