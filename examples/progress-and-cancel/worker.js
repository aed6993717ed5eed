'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const ctx = require('farm/worker');

exports.steps = async (count) => {
  for (let step = 1; step <= count; step++) {
    await pause(1);
    ctx.emit({ step, of: count });
  }
  return 'done';
};

// Waits, so it can hear that it shall stop: the worker lives on.
exports.patient = async () => {
  ctx.emit('started');
  await pause(1e9, undefined, { signal: ctx.signal });
};

// Computes, so no event reaches it; it asks.
exports.asking = () => {
  ctx.emit('started');
  let rounds = 0;
  while (!ctx.cancelled) rounds++;
  return rounds;
};

// Computes and never asks: its worker is killed, and a fresh one takes its place.
exports.deaf = () => {
  ctx.emit('started');
  for (;;);
};

exports.pid = () => process.pid;
