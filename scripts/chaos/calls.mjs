// The kinds of calls: what each sends, what it must come back with, and which errors belong to it. An error that can hit any
// call (its worker was killed, its farm was ended) is judged in ledger.mjs.

const MiB = 1 << 20
const SIGNALS = ['SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT', 'SIGBUS']

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {any[]} args
 * @property {Record<string, any>} [options]
 * @property {any} [want] the result; without it, none may come
 * @property {(value: any) => boolean} [right] instead of `want`
 * @property {(error: any) => boolean} [mayFail] errors that belong to this call
 * @property {(error: any) => boolean} [aborted] whether it is its signal's reason
 * @property {true} [noTask] its arguments are refused, so it never becomes a task
 * @property {number} [bytes] memory it takes
 * @property {() => void} [begin] is called when it is submitted
 * @property {() => string | undefined} [end] is called when it is settled; what was wrong
 */

const code = (...codes) => (error) => codes.includes(error?.code)

/** A value that the codec must carry. */
function plain(dice, depth = 0) {
  const kinds = [
    () => dice.whole(-1e9, 1e9), () => dice.next(), () => dice.maybe(0.5), () => null, () => undefined, () => -0, () => NaN,
    () => 'ü'.repeat(dice.whole(0, 40)), () => BigInt(dice.whole(0, 1e9)) ** 3n, () => new Date(dice.whole(0, 1e12)),
    () => Buffer.alloc(dice.whole(0, 300), dice.whole(0, 255))
  ]
  if (depth < 3) {
    kinds.push(() => Array.from({ length: dice.whole(0, 6) }, () => plain(dice, depth + 1)))
    kinds.push(() => Object.fromEntries(Array.from({ length: dice.whole(0, 6) }, (_, n) => [`k${n}`, plain(dice, depth + 1)])))
    kinds.push(() => new Map([[dice.whole(0, 9), plain(dice, depth + 1)]]))
  }
  return dice.one(kinds)()
}

/** Aborts after a while, which may be before the call is even published, or after its end. */
function abortable(dice, call) {
  const controller = new AbortController()
  const reason = new Error('given up')
  const after = dice.maybe(0.2) ? 0 : dice.whole(0, 25)
  let timer
  return {
    ...call,
    options: { ...call.options, signal: controller.signal },
    aborted: (error) => error === reason,
    mayFail: (error) => error === reason || (call.mayFail?.(error) ?? false),
    begin: () => {
      if (after === 0) queueMicrotask(() => controller.abort(reason))
      else timer = setTimeout(() => controller.abort(reason), after)
    },
    end: () => clearTimeout(timer)
  }
}

function progress(dice, n) {
  const count = dice.whole(0, 50)
  const seen = []
  return {
    method: 'emits', args: [n, count], want: { n, count },
    options: { onProgress: (value) => seen.push(value) },
    // A task that is tried again begins anew.
    end: () => (seen.every(({ n: of, index }, at) => of === n && (index === 0 || index === seen[at - 1]?.index + 1)) ? undefined : `progress out of order: ${JSON.stringify(seen)}`)
  }
}

/** @type {{ name: string, weight: number, make: (dice: any, n: number) => Call }[]} */
export const kinds = [
  { name: 'mix', weight: 120, make: (dice, n) => { const value = plain(dice); return { method: 'mix', args: [n, value], want: { n, value } } } },
  { name: 'late', weight: 30, make: (dice, n) => { const ms = dice.whole(0, 15); return { method: 'late', args: [n, ms], want: { n, ms } } } },
  { name: 'text', weight: 5, make: (dice, n) => { const value = 'x'.repeat(dice.whole(1, 100) * 1000); return { method: 'mix', args: [n, value], want: { n, value } } } },
  {
    name: 'huge argument', weight: 1.5,
    make: (dice, n) => {
      const length = dice.whole(1, dice.maybe(0.1) ? 64 : 8) * MiB
      const fill = n % 251
      return { method: 'measure', args: [n, Buffer.alloc(length, fill)], want: { n, length, first: fill, last: fill }, mayFail: code('ERR_FARM_NO_MEMORY'), bytes: length }
    }
  },
  {
    name: 'huge result', weight: 1.5,
    make: (dice, n) => {
      const length = dice.whole(1, dice.maybe(0.1) ? 64 : 8) * MiB
      const right = (value) => value.length === length && value[0] === n % 251 && value[length - 1] === n % 251
      return { method: 'make', args: [n, length], right, mayFail: code('ERR_FARM_NO_MEMORY'), bytes: length }
    }
  },
  { name: 'throws', weight: 4, make: (_, n) => ({ method: 'throws', args: [n], mayFail: (error) => error instanceof RangeError && error.n === n && error.cause instanceof TypeError }) },
  { name: 'rejects', weight: 4, make: (_, n) => ({ method: 'rejects', args: [n], mayFail: (error) => error?.rejected === n }) },
  { name: 'refused argument', weight: 2, make: (_, n) => ({ method: 'mix', args: [n, { deep: [() => {}] }], mayFail: code('ERR_FARM_NOT_CLONEABLE'), noTask: true }) },
  { name: 'refused result', weight: 2, make: () => ({ method: 'answersFunction', args: [], mayFail: code('ERR_FARM_NOT_CLONEABLE') }) },
  { name: 'no method', weight: 2, make: () => ({ method: 'nowhere', args: [], mayFail: code('ERR_FARM_NO_METHOD') }) },
  { name: 'exits', weight: 1, make: (_, n) => ({ method: 'exits', args: [n % 100], mayFail: code('ERR_FARM_WORKER_EXIT') }) },
  { name: 'dies', weight: 1, make: (dice) => ({ method: 'dies', args: [dice.one(SIGNALS)], mayFail: code('ERR_FARM_WORKER_EXIT') }) },
  { name: 'dies later', weight: 0.5, make: (dice, n) => ({ method: 'diesLater', args: [n, dice.whole(0, 10)], want: n }) },
  { name: 'aborted', weight: 5, make: (dice, n) => abortable(dice, dice.one(kinds.slice(0, 3)).make(dice, n)) },
  {
    name: 'aborted inside', weight: 2,
    make: (dice) => abortable(dice, { method: dice.one(['hangs', 'obeys', 'spins', 'asks']), args: [], options: { timeout: 3000 }, mayFail: code('ERR_FARM_TASK_TIMEOUT') })
  },
  { name: 'timeout', weight: 2, make: (dice) => ({ method: dice.one(['hangs', 'obeys', 'spins', 'asks']), args: [], options: { timeout: dice.whole(1, 60) }, mayFail: code('ERR_FARM_TASK_TIMEOUT') }) },
  {
    name: 'queueTimeout', weight: 5,
    make: (dice, n) => {
      const call = dice.one(kinds.slice(0, 2)).make(dice, n)
      return { ...call, options: { queueTimeout: dice.whole(1, 30) }, mayFail: code('ERR_FARM_QUEUE_TIMEOUT') }
    }
  },
  { name: 'progress', weight: 4, make: progress },
  { name: 'keeps memory', weight: 3, make: (dice, n) => ({ method: 'keeps', args: [n, dice.whole(1, 12)], want: n }) },
  { name: 'computes', weight: 3, make: (dice, n) => ({ method: 'computes', args: [n, dice.whole(1, 60)], want: n }) }
]

/** Calls of a farm whose workers may use so much memory only. */
export const limitKinds = [{ name: 'fills memory', weight: 6, make: () => ({ method: 'fills', args: [], mayFail: code('ERR_FARM_LIMIT') }) }]

const forkCall = (message) => ({ method: 'request', args: [message] })

/** Calls of a script in the style of fork(). */
export const forkKinds = [
  { name: 'fork echo', weight: 20, make: (dice, n) => { const value = dice.whole(0, 1e6); return { ...forkCall({ n, act: 'echo', value }), want: { n, value } } } },
  { name: 'fork late', weight: 10, make: (dice, n) => { const value = dice.whole(0, 15); return { ...forkCall({ n, act: 'late', value }), want: { n, value } } } },
  { name: 'fork text', weight: 3, make: (dice, n) => { const value = 'ü'.repeat(dice.whole(1, 50) * 1000); return { ...forkCall({ n, act: 'echo', value }), want: { n, value } } } },
  { name: 'fork exits', weight: 1, make: (_, n) => ({ ...forkCall({ n, act: 'exit', value: n % 100 }), mayFail: code('ERR_FARM_WORKER_EXIT') }) },
  { name: 'fork dies', weight: 1, make: (dice, n) => ({ ...forkCall({ n, act: 'die', value: dice.one(SIGNALS) }), mayFail: code('ERR_FARM_WORKER_EXIT') }) },
  { name: 'fork timeout', weight: 1, make: (dice, n) => ({ ...forkCall({ n, act: 'silent' }), options: { timeout: dice.whole(5, 60) }, mayFail: code('ERR_FARM_TASK_TIMEOUT') }) },
  { name: 'fork aborted', weight: 2, make: (dice, n) => abortable(dice, { ...forkCall({ n, act: 'silent' }), options: { timeout: 3000 }, mayFail: code('ERR_FARM_TASK_TIMEOUT') }) }
]
