'use strict';

/**
 * Which functions of a module can be called. Only own enumerable exports count, and they are read once into a Map, so
 * that a method name from the parent never reaches a prototype.
 */

/**
 * @typedef {object} Found
 * @property {Map<string, Function>} functions
 * @property {Function | null} single
 * @property {Function | null} setup
 * @property {Function | null} teardown
 */

const HOOKS = new Set(['setup', 'teardown']);

/**
 * @param {any} exported a CommonJS exports value or an ES module namespace
 * @returns {Found}
 */
function collectExports(exported) {
  /** @type {Found} */
  const found = { functions: new Map(), single: null, setup: null, teardown: null };
  const named = unwrapCommonJs(exported);
  if (isCallable(named)) found.single = named;
  if (named !== null && (typeof named === 'object' || typeof named === 'function')) {
    const { isModule, main } = defaultOf(named);
    // A namespace has no `this` to offer; functions of a plain object may call each other through it.
    addFunctions(found, named, isModule ? undefined : named);
    if (isModule) {
      if (isCallable(main)) found.single = main;
      if (main !== null && (typeof main === 'object' || typeof main === 'function')) addFunctions(found, main, main);
    }
  }
  return found;
}

/**
 * import() of a CommonJS file gives a namespace around its exports; newer Node versions name the original.
 * @param {any} exported
 */
function unwrapCommonJs(exported) {
  return isNamespace(exported) && Object.hasOwn(exported, 'module.exports') ? exported['module.exports'] : exported;
}

/** @param {any} value */
function isNamespace(value) {
  return value !== null && typeof value === 'object' && value[Symbol.toStringTag] === 'Module';
}

/** @param {any} named */
function defaultOf(named) {
  const isModule = isNamespace(named) || (Object.hasOwn(named, '__esModule') && named.__esModule === true);
  return { isModule, main: isModule && Object.hasOwn(named, 'default') ? named.default : undefined };
}

/**
 * @param {Found} found
 * @param {any} from
 * @param {unknown} receiver `this` of the functions
 */
function addFunctions(found, from, receiver) {
  for (const name of Object.keys(from)) {
    const value = readOrNothing(from, name);
    if (!isCallable(value)) continue;
    const bound = receiver === undefined ? value : value.bind(receiver);
    if (HOOKS.has(name)) {
      const hook = /** @type {'setup' | 'teardown'} */ (name);
      found[hook] ??= bound;
    } else if (!found.functions.has(name)) found.functions.set(name, bound);
  }
}

/**
 * An export may be a getter that loads something optional and throws; the others are still there.
 * @param {any} from
 * @param {string} name
 */
function readOrNothing(from, name) {
  try {
    return from[name];
  } catch {
    return undefined;
  }
}

/**
 * A class cannot be called without `new`, so it is no task.
 * @param {unknown} value
 * @returns {value is Function}
 */
function isCallable(value) {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * For the error of a module without functions.
 * @param {any} exported
 */
function describeExports(exported) {
  const value = unwrapCommonJs(exported);
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return `its export is ${value === null ? 'null' : typeof value}`;
  const names = Object.keys(value).slice(0, 20);
  const { main } = defaultOf(value);
  const methods = methodsAside(value) ?? methodsAside(main);
  if (methods !== undefined) return methods;
  if (names.length === 0) return 'it exports nothing';
  return `it exports ${names.map((name) => `${name}: ${kindOf(readOrNothing(value, name))}`).join(', ')}`;
}

/**
 * Methods that are there and do not count, being no enumerable properties: what an object has from its class, and static ones.
 * @param {any} value
 * @returns {string | undefined}
 */
function methodsAside(value) {
  const isClass = typeof value === 'function';
  if (!isClass && (value === null || typeof value !== 'object')) return undefined;
  const from = isClass ? value : Object.getPrototypeOf(value);
  const owner = isClass ? value : from?.constructor;
  if (typeof owner !== 'function' || isCallable(owner)) return undefined;
  const example = Object.getOwnPropertyNames(from).find((name) => name !== 'constructor' && isMethod(from, name));
  if (example === undefined) return undefined;
  const what = isClass ? `the class ${owner.name}` : `an object of the class ${owner.name}`;
  const call = `${isClass ? owner.name : 'object'}.${example}(...args)`;
  return `it exports ${what}, and methods of a class are not looked for; write exports.${example} = (...args) => ${call}`;
}

/** @param {any} from @param {string} name */
function isMethod(from, name) {
  return isCallable(Object.getOwnPropertyDescriptor(from, name)?.value);
}

/** @param {unknown} value */
function kindOf(value) {
  if (value === null) return 'null';
  if (typeof value === 'function') return isCallable(value) ? 'function' : 'class';
  return typeof value;
}

module.exports = { collectExports, describeExports };
