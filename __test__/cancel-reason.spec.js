'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder: makeFolder, task, until } = require('./fixtures/life/processes');
const { openFarm } = require('./fixtures/open-farm');

const folder = makeFolder();
let count = 0;

/** What `ctx.signal.reason` was in the worker. */
async function told(options, how, act = () => {}) {
  const farm = openFarm('life/trials.js', { grace: 60_000 });
  const file = path.join(folder, `reason-${++count}`);
  const { began, ended } = task(farm, 'noteReason', [file, how], options);
  const pid = await began;
  act();
  await ended.catch(() => {});
  await until(() => fs.existsSync(file));
  expect(await farm.run('pid')).toBe(pid);
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** The same for a caller that gives up with this reason. */
function aborted(how, ...reason) {
  const controller = new AbortController();
  return told({ signal: controller.signal }, how, () => controller.abort(...reason));
}

describe.each(['by its event', 'synchronous'])('the reason of ctx.signal, %s', (how) => {
  test('after a timeout is a TimeoutError', async () => {
    expect(await told({ timeout: 1000 }, how)).toMatchObject({ text: expect.stringMatching(/^TimeoutError: .*timeout/), isError: true });
  });

  test('after an abort is an AbortError', async () => {
    expect(await aborted(how)).toMatchObject({ text: expect.stringMatching(/^AbortError/), isError: true });
  });
});

test('is what the caller gave', async () => {
  expect(await aborted('by its event', Object.assign(new RangeError('the user left'), { code: 'LEFT' }))).toEqual({ text: 'RangeError: the user left', code: 'LEFT', isError: true });
  expect(await aborted('by its event', 'a text')).toEqual({ text: 'a text', isError: false });
});

test('is an AbortError where that is large or cannot be carried', async () => {
  for (const reason of ['x'.repeat(100_000), () => {}, Buffer.alloc(100_000)]) {
    expect((await aborted('by its event', reason)).text).toMatch(/^AbortError/);
  }
});
