// How the calls of one farm ended, as their callers saw it, against the farm's own figures: each task is settled exactly once.

/** Errors of farm's own by what `stats().tasks` calls them. */
const BY_CODE = {
  ERR_FARM_WORKER_EXIT: 'lost',
  ERR_FARM_LIMIT: 'lost',
  ERR_FARM_TASK_TIMEOUT: 'timedOut',
  ERR_FARM_QUEUE_TIMEOUT: 'queueTimedOut',
  ERR_FARM_START: 'notStarted',
  ERR_FARM_NO_MEMORY: 'noMemory',
  ERR_FARM_CLOSED: 'closed',
  ERR_FARM_QUEUE_FULL: 'refused'
}
/** Calls that end so may have been turned away before they were tasks. */
const MAYBE_NO_TASK = ['notStarted', 'noMemory', 'closed']
/** With `overflow: 'wait'` these too. */
const MAYBE_HELD = ['cancelled', 'queueTimedOut']
/** A task that rests before its next try fails with the error of its last one when the farm is closed. */
const FAILURES = ['failed', 'timedOut', 'lost']

export class Counts {
  /** @type {Record<string, number>} */
  #ends = {}

  /** @param {import('./calls.mjs').Call} call @param {{ value?: any, error?: any }} outcome */
  add(call, outcome) {
    const end = endOf(call, outcome)
    this.#ends[end] = (this.#ends[end] ?? 0) + 1
  }

  /**
   * @param {Record<string, number>} tasks the farm's `stats().tasks`
   * @param {{ overflow?: string }} options the farm's
   * @returns {string[]} what does not agree
   */
  against(tasks, { overflow }) {
    const seen = (name) => this.#ends[name] ?? 0
    const sum = (names, of) => names.reduce((total, name) => total + of(name), 0)
    const told = (name) => tasks[name]
    const atMost = [...MAYBE_NO_TASK, ...(overflow === 'wait' ? MAYBE_HELD : [])]
    const exactly = [['completed'], FAILURES, ...(overflow === 'wait' ? [] : MAYBE_HELD.map((name) => [name]))]
    return [
      ...exactly.filter((names) => sum(names, told) !== sum(names, seen)).map((names) => `${names.join(' + ')}: ${sum(names, told)} tasks, but ${sum(names, seen)} calls`),
      ...atMost.filter((name) => told(name) > seen(name)).map((name) => `${name}: ${told(name)} tasks, but only ${seen(name)} calls`)
    ]
  }
}

function endOf(call, { error, ...outcome }) {
  if ('value' in outcome) return 'completed'
  if (call.aborted?.(error)) return 'cancelled'
  if (call.noTask && error?.code === 'ERR_FARM_NOT_CLONEABLE') return 'refused'
  return BY_CODE[error?.code] ?? 'failed'
}
