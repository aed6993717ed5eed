'use strict';

/**
 * What a task enters by `AsyncLocalStorage.enterWith()` before it returns would hold for whatever the loop does next: for the
 * tasks after it in the same turn, which would take the user or the trace of another task for theirs. Node offers no look
 * at what was entered, so that `enterWith` notes it. A task that enters nothing pays for two stores.
 */

const entered = {
  /** The synchronous part of a task runs. */
  watching: false,
  /** @type {Set<import('node:async_hooks').AsyncLocalStorage<unknown>>} */
  storages: new Set(),
  leaveAll() {},
};

/** The user's function has returned, or thrown. */
function leaveEntered() {
  entered.watching = false;
  if (entered.storages.size > 0) entered.leaveAll();
}

let known = false;

/** Loading AsyncLocalStorage takes some tenths of a millisecond, so this comes when the module has done that, or nobody waits. */
function watchEntering() {
  if (known) return;
  known = true;
  const { AsyncLocalStorage } = require('node:async_hooks');
  const { enterWith } = AsyncLocalStorage.prototype;
  const outside = AsyncLocalStorage.snapshot();
  entered.leaveAll = () => {
    for (const storage of entered.storages) enterWith.call(storage, outside(() => storage.getStore()));
    entered.storages.clear();
  };
  const value = /** @this {import('node:async_hooks').AsyncLocalStorage<unknown>} @param {unknown} store */ function noted(store) {
    if (entered.watching) entered.storages.add(this);
    return enterWith.call(this, store);
  };
  Object.defineProperty(value, 'name', { value: 'enterWith' });
  Reflect.defineProperty(AsyncLocalStorage.prototype, 'enterWith', { value, configurable: true, enumerable: false, writable: true });
}

/** True when the module, or what it has loaded, may enter something already. */
function mayEnter() {
  return /** @type {any} */ (process).moduleLoadList?.includes('NativeModule async_hooks') !== false;
}

module.exports = { entered, leaveEntered, mayEnter, watchEntering };
