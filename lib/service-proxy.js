'use strict';

/**
 * The object that createService returns: every property is a function that runs as a task.
 *
 * It is a function (so that it can be called) whose prototype is a Proxy. A name that was never used falls through to
 * the Proxy, which makes the method and stores it on the function itself; from then on it is an ordinary property and
 * costs what an ordinary property costs. A Proxy in front would be asked on every call.
 */

const { inspect } = require('node:util');
const { nextTick } = require('./real-time');

/**
 * Names that the language, inspectors and test printers look for on any object. If they found a function they would
 * call it or take the service for something else, so these are never sent; farm.run() reaches a method of such a name.
 */
const NEVER_SENT = new Set([
  // the language
  'then', 'toJSON', 'toString', 'toLocaleString', 'valueOf', 'constructor', 'prototype', 'name', 'length', 'arguments', 'caller',
  '__proto__', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__',
  'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable',
  // module interop
  '__esModule', 'module.exports',
  // printers and matchers
  'inspect', 'asymmetricMatch', 'toAsymmetricMatcher', '$$typeof', 'nodeType', 'nodeName', 'tagName', 'hasAttribute', 'isReactComponent',
  '_isMockFunction', 'getMockName',
]);

/** Immutable.js marks its types with properties of this form, and printers ask for them. */
const MARK = '@@__';

/** Where the runtime lacks the symbol, transpilers agree on this one. */
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/**
 * @typedef {object} TaskFarm what a service needs of a farm
 * @property {(method: string, args: any[], options: null) => Promise<any>} submit
 * @property {() => Promise<void>} close
 */

/** @type {WeakMap<object, TaskFarm>} */
const farms = new WeakMap();

/**
 * @param {TaskFarm} farm
 * @param {string} label what a log shows
 * @returns {any}
 */
function serviceOf(farm, label = '') {
  const service = methodOf(farm, '', 'service');
  const text = label === '' ? '[farm service]' : `[farm service ${label}]`;
  define(service, inspect.custom, () => text);
  define(service, ASYNC_DISPOSE, () => farm.close());
  Object.setPrototypeOf(service, new Proxy(fallbackOf(text), missing(farm)));
  farms.set(service, farm);
  return service;
}

/**
 * @param {TaskFarm} farm
 * @returns {ProxyHandler<any>}
 */
function missing(farm) {
  return {
    get(fallback, name, receiver) {
      if (typeof name === 'symbol' || NEVER_SENT.has(name) || name.startsWith(MARK)) return Reflect.get(fallback, name, receiver);
      const method = methodOf(farm, name);
      // The receiver is another object when somebody made the service its prototype.
      if (farms.get(receiver) === farm) define(receiver, name, method);
      return method;
    },
  };
}

/**
 * What the names of the list find instead of a method.
 * @param {string} text
 */
function fallbackOf(text) {
  const fallback = Object.create(Function.prototype);
  define(fallback, 'toString', () => text);
  // Reading these of a function throws in strict code, which would break whoever only looks.
  define(fallback, 'caller', undefined);
  define(fallback, 'arguments', undefined);
  return fallback;
}

/**
 * @param {TaskFarm} farm
 * @param {string} method
 * @param {string} name of the function
 * @returns {any}
 */
function methodOf(farm, method, name = method) {
  // Named from the start: with a changed name V8 keeps all properties of the service in a table that is looked up at each call.
  const named = {
    [name]: (/** @type {any[]} */ ...args) => {
      const last = args.length - 1;
      if (last >= 0 && typeof args[last] === 'function') return runWithCallback(farm, method, args);
      return farm.submit(method, args, null);
    },
  };
  return named[name];
}

/**
 * The callback runs outside of any promise, so that what it throws is an uncaught exception as with any other
 * Node-style callback. Promise and nextTick both keep the caller's asynchronous context.
 * @param {TaskFarm} farm
 * @param {string} method
 * @param {any[]} args the callback is the last
 */
function runWithCallback(farm, method, args) {
  const callback = args.pop();
  farm.submit(method, args, null).then(
    (value) => nextTick(callback, null, value),
    (error) => nextTick(callback, error || falsyError(error)),
  );
}

/**
 * A task may throw undefined or 0, which a callback would take for success.
 * @param {unknown} reason
 */
function falsyError(reason) {
  return Object.assign(new Error(`The task threw ${String(reason)}, which is in "reason"`), { code: 'ERR_FALSY_VALUE_REJECTION', reason });
}

/**
 * Not enumerable: methods are no data, and whoever lists or compares a service shall see none.
 * @param {object} object
 * @param {string | symbol} name
 * @param {unknown} value
 */
function define(object, name, value) {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
}

/**
 * @param {any} service
 * @returns {any} the farm behind a service; undefined for anything else
 */
function farmOf(service) {
  return typeof service === 'function' ? farms.get(service) : undefined;
}

module.exports = { serviceOf, farmOf };
