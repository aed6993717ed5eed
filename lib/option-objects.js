'use strict';

/** Options that are objects of further ones: each of those is checked by itself, an unknown name is refused. */

const { FarmError } = require('./errors');
const { Refusal, finite, integer, isText, show } = require('./option-checks');
const { nearestOf } = require('./option-names');

/**
 * The check of an option that is an object of these.
 * @param {string} option
 * @param {Record<string, import('./option-checks').Check>} table
 */
function objectOf(option, table) {
  const names = Object.keys(table);
  return (/** @type {any} */ value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return new Refusal(`an object with some of ${names.join(', ')}`);
    /** @type {Record<string, any>} */
    const result = {};
    for (const [name, given] of Object.entries(value)) {
      if (!Object.hasOwn(table, name)) {
        const nearest = nearestOf(name, names);
        throw optionError(`${option}.${name}`, given, `${option} has no "${name}". ${nearest === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${nearest}"?`}`);
      }
      if (given === undefined) continue;
      result[name] = checked(`${option}.${name}`, table[name], given);
    }
    return Object.freeze(result);
  };
}

/**
 * What the check makes of the value.
 * @param {string} option as its user names it
 * @param {import('./option-checks').Check} check
 * @param {unknown} value
 */
function checked(option, check, value) {
  const result = check(value);
  if (result instanceof Refusal) throw optionError(option, value, `${option} must be ${result.wanted}, not ${show(value)}`);
  return result;
}

/**
 * @param {string} option
 * @param {unknown} value
 * @param {string} message
 */
function optionError(option, value, message) {
  return new FarmError('ERR_FARM_OPTION', message, { option, value });
}

/** After what a worker is replaced: tasks, ms, bytes of private memory. */
const recycleCheck = objectOf('recycle', {
  tasks: integer(1, Number.MAX_SAFE_INTEGER),
  age: finite(1),
  memory: integer(1, Number.MAX_SAFE_INTEGER),
});

/**
 * Values as child_process takes them: undefined leaves a variable out, numbers and booleans become strings. What is wrong is
 * told by its name, since the rest of an environment may be secret.
 * @type {import('./option-checks').Check}
 */
function environmentCheck(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return new Refusal('an object of strings');
  /** @type {Record<string, string>} */
  const result = {};
  for (const [name, raw] of Object.entries(value)) {
    if (raw === undefined) continue;
    if (!isText(name) || name === '' || name.includes('=')) {
      throw optionError('env', name, `env has a variable ${show(name)}; a name must not be empty, nor hold "=" or a zero byte`);
    }
    const entry = typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw;
    if (!isText(entry)) throw optionError(`env.${name}`, raw, `env.${name} must be a string without a zero byte, not ${show(raw)}`);
    result[name] = entry;
  }
  return Object.freeze(result);
}

module.exports = { checked, environmentCheck, objectOf, optionError, recycleCheck };
