'use strict';

/**
 * Many tasks may share one AbortSignal: they share one listener too, since Node warns of a leak from eleven on, and
 * taking one of a thousand listeners away means looking through them.
 */

/** @type {WeakMap<AbortSignal, { calls: Set<() => void>, listener: () => void }>} */
const watched = new WeakMap();

/**
 * @param {AbortSignal} signal that has not fired
 * @param {() => void} call
 * @returns {() => void} takes the call away again
 */
function watchAbort(signal, call) {
  let entry = watched.get(signal);
  if (entry === undefined) {
    const calls = new Set();
    const listener = () => {
      watched.delete(signal);
      for (const each of calls) each();
    };
    entry = { calls, listener };
    watched.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  const { calls, listener } = entry;
  calls.add(call);
  return () => {
    calls.delete(call);
    if (calls.size > 0 || watched.get(signal)?.calls !== calls) return;
    watched.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

module.exports = { watchAbort };
