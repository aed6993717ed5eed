'use strict';

const { Fifo } = require('../lib/fifo');

/** Quicker than `expect` a hundred thousand times. @param {unknown} got @param {unknown} wanted @param {number} step */
function same(got, wanted, step) {
  if (got !== wanted) throw new Error(`${got} instead of ${wanted} in step ${step}`);
}

test('does what an array does', () => {
  const fifo = new Fifo();
  /** @type {number[]} */
  const array = [];
  let state = 42;
  const dice = (/** @type {number} */ sides) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(state / 65536) % sides;
  };
  for (let step = 0; step < 100_000; step++) {
    // It grows for a long time, then shrinks.
    const what = dice(10);
    if (what < (step < 50_000 ? 6 : 3)) {
      fifo.push(step);
      array.push(step);
    } else if (what === 9) {
      fifo.unshift(-step);
      array.unshift(-step);
    } else {
      same(fifo.peek(), array[0], step);
      same(fifo.shift(), array.shift(), step);
    }
    same(fifo.length, array.length, step);
  }
  while (array.length > 0) same(fifo.shift(), array.shift(), 0);
  expect(fifo.shift()).toBeUndefined();
  expect(fifo.length).toBe(0);
});

test('lets go of what has been taken, and of all when it is cleared', () => {
  const fifo = new Fifo();
  fifo.push(1);
  fifo.push(2);
  fifo.shift();
  fifo.clear();
  expect(fifo.length).toBe(0);
  expect(fifo.peek()).toBeUndefined();
  fifo.push(3);
  expect(fifo.shift()).toBe(3);
});
