'use strict';

/**
 * Every error of farm's own carries one of these codes. The texts say what the code stands for; the message
 * of an error says what happened this time.
 */
const CODES = Object.freeze({
  ERR_FARM_WORKER_EXIT: 'the worker ended while it ran the task',
  ERR_FARM_LIMIT: 'the worker used more than its limits allow and was killed while it ran the task',
  ERR_FARM_TASK_TIMEOUT: 'the task ran longer than its timeout',
  ERR_FARM_QUEUE_TIMEOUT: 'the task waited longer than its queueTimeout for a worker',
  ERR_FARM_QUEUE_FULL: 'as many tasks wait for a worker as may',
  ERR_FARM_CLOSED: 'the farm is closed or destroyed',
  ERR_FARM_NO_METHOD: 'the worker module exports no such function',
  ERR_FARM_NOT_CLONEABLE: 'a value cannot be carried to another process',
  ERR_FARM_BAD_DATA: 'bytes from another process do not decode to a value',
  ERR_FARM_NO_MEMORY: 'there is too little memory for the value',
  ERR_FARM_START: 'a worker could not be started',
  ERR_FARM_UNSUPPORTED: 'this platform or runtime is not supported, or has no binary',
  ERR_FARM_OPTION: 'an option or argument is wrong',
});

/**
 * An error of farm's own. `details` become own properties (`exitCode`, `signal`, `reason`, ...), except
 * `cause`, which becomes the error's cause.
 */
class FarmError extends Error {
  /**
   * @param {keyof typeof CODES} code
   * @param {string} message
   * @param {{cause?: unknown, [detail: string]: unknown}} [details]
   */
  constructor(code, message, details) {
    super(message);
    this.code = code;
    if (details === undefined) return;
    const { cause, ...properties } = details;
    // Not by super(message, { cause }): a cause that is explicitly undefined is a fact worth keeping.
    if ('cause' in details) {
      Object.defineProperty(this, 'cause', { value: cause, writable: true, configurable: true });
    }
    Object.assign(this, properties);
  }
}

// On the prototype, as in the built-in classes, so that it is no own property of each error.
Object.defineProperty(FarmError.prototype, 'name', { value: 'FarmError', writable: true, configurable: true });

/**
 * A value that may be anything, for a message. `String` throws for an object whose own `toString` is none.
 * @param {unknown} value
 * @returns {string}
 */
function textOf(value) {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

module.exports = { CODES, FarmError, textOf };
