'use strict';

const { openFarm } = require('./fixtures/open-farm');

/** @param {any} farm */
async function sameWorkerGoesOn(farm) {
  expect(await farm.run('add', [1, 2])).toBe(3);
  expect(farm.stats().exits).toEqual({});
}

test.each([
  ['revokedProxy', /revoked/],
  ['throwingThen', /no then/],
  ['throwingConstructor', /no constructor/],
])('a result that cannot be looked at rejects its call and no more (%s)', async (name, message) => {
  const farm = openFarm('calls/odd.js');
  await expect(farm.run('result', [name])).rejects.toThrow(message);
  await sameWorkerGoesOn(farm);
});

test('thenables are taken as by await', async () => {
  const farm = openFarm('calls/odd.js');
  expect(await farm.run('result', ['ownThen'])).toBe('awaited');
  expect(await farm.run('result', ['thenTwice'])).toBe('first');
  await sameWorkerGoesOn(farm);
});

test.each([
  ['listOfRevoked', { message: 'odd', kept: 1 }],
  ['throwingItem', { message: 'odd', kept: 1 }],
  ['staticName', { message: 'odd' }],
  ['staticSymbol', { message: 'odd' }],
  ['noTextForName', { message: 'odd', name: { toString: 1, valueOf: 1 } }],
  ['noText', { toString: 1, valueOf: 1 }],
  ['noDomText', { name: expect.any(String) }],
  ['revokedProxy', { code: 'ERR_FARM_NOT_CLONEABLE' }],
])('whatever is thrown arrives, as far as it can be sent, also after a retry (%s)', async (name, told) => {
  const farm = openFarm('calls/odd.js', { retryOn: ['error'] });
  await expect(farm.run('throws', [name])).rejects.toMatchObject(told);
  const beside = farm.run('throws', [name], { retries: 1 });
  const after = farm.run('add', [1, 2]);
  await expect(beside).rejects.toMatchObject({ ...told, attempts: 2, history: [{ attempt: 1, message: expect.any(String) }] });
  await after;
  await sameWorkerGoesOn(farm);
});

test('what a task enters into an AsyncLocalStorage is not there for the next', async () => {
  const farm = openFarm('calls/odd.js');
  const calls = [];
  for (let i = 0; i < 20; i++) {
    const thrown = farm.run('enterAndThrow', [`thrown ${i}`]).catch(({ message }) => message);
    calls.push([farm.run('enter', [`entered ${i}`]), thrown, farm.run('enter'), farm.run('enterLater', [`later ${i}`]), farm.run('enterInside', ['x']), farm.run('enter')]);
  }
  for (const [i, call] of calls.entries()) {
    expect(await Promise.all(call)).toEqual([undefined, 'odd', undefined, [undefined, `later ${i}`], 'outer', undefined]);
  }
});

test('a module that puts its own in the place of timers and promises is served as before', async () => {
  const farm = openFarm('calls/odd.js');
  await farm.run('fakeTimers');
  const times = Array.from({ length: 60 }, () => 0.5);
  expect(await Promise.all(times.map((ms) => farm.run('later', [ms])))).toEqual(times);
});
