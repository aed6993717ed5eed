'use strict';

/** What is kept of a task beyond its promise, if it has options, or its farm has some that must be looked after here. */

const { watchAbort } = require('./abort-watch');
const { inThisContext } = require('./caller-context');
const { clearTimeout, setTimeout } = require('./real-time');

/**
 * @typedef {object} Extra
 * @property {string} method
 * @property {number} timeout
 * @property {number} queueTimeout
 * @property {Function} [onProgress]
 * @property {() => void} [unwatch] of its signal
 * @property {NodeJS.Timeout} [timer] of its queueTimeout
 * @property {import('./retry').Attempt[]} [history] of a task that may be tried again
 * @property {unknown} [last] the error of its latest attempt
 */

/**
 * @param {string} method
 * @param {any} options of the task; `waited`: ms that it was held back before
 * @param {{ timeout: number, queueTimeout: number }} farm
 * @param {import('./retry').Plan | null} plan
 * @param {(reason: unknown) => void} abort
 * @param {(extra: Extra) => void} expire
 * @returns {Extra}
 */
// eslint-disable-next-line max-params
function makeExtra(method, options, farm, plan, abort, expire) {
  const timeout = options.timeout ?? farm.timeout;
  const queueTimeout = options.queueTimeout ?? farm.queueTimeout;
  /** @type {Extra} */
  const extra = { method, timeout, queueTimeout };
  if (plan !== null && plan.retries > 0) extra.history = [];
  if (options.onProgress) extra.onProgress = inThisContext(options.onProgress);
  if (options.signal) {
    const { signal } = options;
    extra.unwatch = watchAbort(signal, () => abort(signal.reason));
  }
  // A worker that claims too late refuses; this timer only makes the rejection punctual.
  if (Number.isFinite(queueTimeout)) {
    const left = Math.max(0, queueTimeout - (options.waited ?? 0));
    extra.timer = setTimeout(expire, Math.min(left, 0x7fffffff), extra).unref();
  }
  return extra;
}

/** @param {Extra} extra of a task that is settled */
function dropExtra(extra) {
  extra.unwatch?.();
  clearTimeout(extra.timer);
}

module.exports = { makeExtra, dropExtra };
