/// <reference types="node" />
import { EventEmitter } from 'node:events';

// Without this line a declaration file exports everything in it.
export {};

// ---------------------------------------------------------------------------------------------------------------------
// Services

/**
 * Starts a farm for a worker module and returns its service: an object each of whose properties is a function that runs
 * in a worker process and returns a Promise.
 *
 * ```ts
 * const service = createService<typeof import('./worker')>('./worker.js');
 * const sum = await service.add(1, 2);
 * ```
 *
 * @param source Path (looked up beside the calling file, then in the working directory), package name (as `require()` finds
 *   it) or `file:` URL (such as `import.meta.resolve()` gives) of a CommonJS, ES or TypeScript module.
 * @throws FarmError `ERR_FARM_START` (reason 'resolve') when the file is not found, with every place that was looked at;
 *   `ERR_FARM_OPTION` for a wrong option.
 */
export function createService<M = any>(source: string | URL, options?: FarmOptions): Service<M>;
/**
 * The same for an unmodified `child_process.fork()` script: one message goes out, the next one that comes back is the
 * result.
 */
export function createService(source: ForkSource, options?: ForkOptions): ForkService;

/** The farm behind a service; undefined for anything else. */
export function farmOf<S>(service: S): S extends { readonly [moduleType]?: infer M } ? WorkerFarm<Exclude<M, undefined>> : WorkerFarm | undefined;

/** Remembers a service's module for `farmOf`; it has no value at run time. */
declare const moduleType: unique symbol;

/** A Node-style callback as the last argument of a method. `error` is null when the task has succeeded. */
export type Callback<R> = (error: any, result: R) => void;

/** A worker's function as the parent calls it: with a Promise, or with a callback as last argument. */
export interface RemoteFunction<A extends any[], R> {
  (...args: A): Promise<R>;
  (...args: Called<A, Callback<R>>): void;
}

/** The callback comes after the arguments that are given; what may be left out can be left out before it too. */
type Called<A extends any[], C> = A extends Required<A> ? [...A, C] : [...Given<A>, C];
type Given<A extends any[], Before extends any[] = []> = A extends []
  ? Before
  : A extends [infer First, ...infer Rest]
    ? Given<Rest, [...Before, First]>
    : A extends [(infer First)?, ...infer Rest]
      ? A extends [...Rest]
        ? [...Before, ...A]
        : Before | Given<Rest, [...Before, First | undefined]>
      : [...Before, ...A];

/** A function type of the worker module, seen from the parent. Of overloads the last one counts. */
export type Remote<F> = F extends (...args: infer A) => infer R ? RemoteFunction<A, Awaited<R>> : never;

type AnyFunction = (...args: any[]) => any;
type IsAny<T> = 0 extends 1 & T ? true : false;
type Hook = 'setup' | 'teardown';

/** Names of the functions in T that can be called; classes, constants and the hooks are none. */
type FunctionName<T> = { [K in keyof T]: K extends Hook ? never : T[K] extends AnyFunction ? K : never }[keyof T] & string;

type DefaultOf<M> = M extends { default: infer D } ? D : never;
/** What the module's functions are, those of a default-exported object included. */
type Functions<M> = Pick<M, FunctionName<M>> &
  ([DefaultOf<M>] extends [never] ? unknown : DefaultOf<M> extends AnyFunction ? unknown : Omit<Pick<DefaultOf<M>, FunctionName<DefaultOf<M>>>, keyof M>);
/** What a call of the service itself runs. */
type Single<M> = M extends AnyFunction ? M : DefaultOf<M> extends AnyFunction ? DefaultOf<M> : never;

interface Closing {
  /** As `farmOf(service).close()`; for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The service of a module of type M. Without M every name is a method.
 *
 * Names that JavaScript and test printers look for on any object (`then`, `toJSON`, `constructor`, `name`, `length` and
 * such) are never sent to a worker; `farm.run()` reaches a method of such a name.
 */
export type Service<M = any> = Closing & { readonly [moduleType]?: M } & (IsAny<M> extends true
    ? { (...args: any[]): any; [method: string]: any }
    : { readonly [K in keyof Functions<M>]: Remote<Functions<M>[K]> } & ([Single<M>] extends [never] ? unknown : Remote<Single<M>>));

/** The service of a fork script. */
export interface ForkService extends Closing {
  /** Sends a JSON message and resolves with the next message that the script sends. */
  request(message: unknown): Promise<any>;
  request(message: unknown, callback: Callback<any>): void;
  /** @internal */
  readonly [moduleType]?: { request(message: unknown): any };
}

// ---------------------------------------------------------------------------------------------------------------------
// Farms

/** Names of the methods of M for `run` and `map`; '' is the module's single function. */
export type MethodName<M> = IsAny<M> extends true ? string : (keyof Functions<M> & string) | ([Single<M>] extends [never] ? never : '');

type MethodOf<M, K> = IsAny<M> extends true
  ? AnyFunction
  : K extends ''
    ? Extract<Single<M>, AnyFunction>
    : K extends keyof Functions<M>
      ? Extract<Functions<M>[K], AnyFunction>
      : never;

/** A pool of worker processes for one module. An idle farm does not keep this process alive. */
export class WorkerFarm<M = any> extends EventEmitter<FarmEvents> {
  /** As for `createService`. */
  constructor(source: string | URL | ForkSource, options?: FarmOptions | ForkOptions);

  /** The service of this farm, always the same object. */
  readonly service: Service<M>;
  /** The worker module's or script's file. */
  readonly file: string;
  /** Every option by name, with the defaults that hold here. */
  readonly options: Readonly<Record<string, any>>;

  /**
   * Runs a method as a task. Unlike a method of the service it takes options, and any name.
   * @param method '' for the module's single function
   * @throws (rejects) FarmError: `ERR_FARM_NO_METHOD`, `ERR_FARM_NOT_CLONEABLE`, `ERR_FARM_TASK_TIMEOUT`,
   *   `ERR_FARM_QUEUE_TIMEOUT`, `ERR_FARM_QUEUE_FULL`, `ERR_FARM_WORKER_EXIT`, `ERR_FARM_START`, `ERR_FARM_NO_MEMORY`,
   *   `ERR_FARM_CLOSED`; the signal's reason; or what the method itself has thrown
   */
  run<K extends MethodName<M>>(
    method: K,
    args?: Readonly<Parameters<MethodOf<M, K>>>,
    options?: TaskOptions,
  ): Promise<Awaited<ReturnType<MethodOf<M, K>>>>;

  /**
   * Runs a method for each item and hands out the results at the reader's pace: at most `concurrency` tasks are under
   * way, and at most twice as many items have been read ahead of the reader. The first failure ends the iteration.
   * @param items each is the method's one argument
   */
  map<K extends MethodName<M>>(
    items: Iterable<Item<M, K>> | AsyncIterable<Item<M, K>>,
    method: K,
    options?: MapOptions,
  ): AsyncIterableIterator<Awaited<ReturnType<MethodOf<M, K>>>>;

  /**
   * Resolves when at least one worker (and `min` of them) can take tasks; starts one if there is none.
   * @throws (rejects) `ERR_FARM_START` with the original error as `cause`
   */
  ready(): Promise<void>;

  /**
   * Another number of workers from now on. More are started as tasks ask for them; those too many leave when they have
   * finished their tasks, idle ones first.
   * @throws FarmError `ERR_FARM_OPTION`, or `ERR_FARM_CLOSED`
   */
  resize(size: { max?: number; min?: number }): void;

  /**
   * Replaces every worker that is there now by a fresh one, which loads the module as it is now, a few at a time. No task is
   * lost: an old worker leaves when a new one is ready and its own task is over. Resolves when the last of them is gone.
   * @throws (rejects) `ERR_FARM_START` when a new worker cannot be started; the old ones stay then
   */
  reload(): Promise<void>;

  /**
   * Figures of this moment and since the farm was opened.
   * @param options.reset the times (`run` and `wait`) start anew after this; default false
   */
  stats(options?: { reset?: boolean }): FarmStats;

  /**
   * Takes no more tasks, lets those there are finish and the workers exit by themselves.
   * @param options.timeout ms after which what is left is destroyed; default 30000, Infinity for never. That of the first call counts.
   * @throws (rejects) `ERR_FARM_OPTION`; the farm stays open then
   */
  close(options?: { timeout?: number }): Promise<void>;

  /** Kills the workers now; every pending task rejects with `ERR_FARM_CLOSED`. */
  destroy(): Promise<void>;

  /**
   * No more 'stdout' and 'stderr' events (`'pipe'`), but for what is on its way: what workers write stays in their pipes, and a
   * worker that writes more than these hold waits, as for every slow reader. What a worker has left when it ends is told.
   */
  pauseOutput(): void;
  /** The events go on. */
  resumeOutput(): void;

  /** Keeps this process alive even while the farm is idle. */
  ref(): this;
  /** The default: only a farm with pending tasks keeps this process alive. */
  unref(): this;

  [Symbol.asyncDispose](): Promise<void>;
}

type Item<M, K> = IsAny<M> extends true ? any : Parameters<MethodOf<M, K>>[0] | PromiseLike<Parameters<MethodOf<M, K>>[0]>;

/** Events of a farm's life. */
export interface FarmEvents {
  /** A process was started. */
  spawn: [worker: WorkerInfo];
  /** A worker has loaded its module and takes tasks. */
  online: [worker: WorkerInfo];
  /** A worker's process has ended. */
  exit: [worker: WorkerExit & Partial<LimitBreach>];
  /**
   * A worker ended by an uncaught error or unhandled rejection while it ran no task, or could not start while others work.
   * Never an error in this process. `error` is what was thrown, mostly an Error.
   */
  workerError: [error: any, worker: { workerId: number; pid: number | undefined }];
  /** The queue was full (`maxQueue`), and half of it is free again. */
  drain: [];
  /** A worker has started a task. */
  taskStart: [task: TaskStart];
  /** An attempt of a task is over and the task starts once more. */
  taskRetry: [task: TaskRetry];
  /** A task is settled. What was refused at the call, or is still held by `overflow: 'wait'`, is no task. */
  taskEnd: [task: TaskEnd];
  /** With `stdout: 'pipe'`: bytes that a worker has written. A character may be split between two events. */
  stdout: [bytes: Buffer, worker: { workerId: number }];
  /** With `stderr: 'pipe'`: bytes that a worker has written. A character may be split between two events. */
  stderr: [bytes: Buffer, worker: { workerId: number }];
}

export interface TaskInfo {
  /** The same in all events of one task. */
  taskId: number;
  method: string;
}

export interface TaskStart extends TaskInfo {
  /** 1 for the first. */
  attempt: number;
  workerId: number;
  /** From the call to this start (ms). */
  wait: number;
}

export interface TaskRetry extends TaskInfo {
  /** The one that is over. The next start has the same number when this one does not count. */
  attempt: number;
  /** null when no worker has started it. */
  workerId: number | null;
  /** How long it ran (ms); null when no worker has started it. */
  run: number | null;
  status: 'failed' | 'timedOut' | 'lost';
  /** Why; undefined when the attempt does not count, since its worker had to be killed for another task. */
  error: any;
}

export interface TaskEnd extends TaskInfo {
  /** How many have been started and count. */
  attempts: number;
  /** Where it ran last; null when no worker has started it since its call or since its last failed attempt. */
  workerId: number | null;
  /** From the call to the start of the last attempt, or to this end when `workerId` is null (ms). */
  wait: number;
  /** How long the last attempt ran (ms); null when `workerId` is null. */
  run: number | null;
  /** As in `stats().tasks`. */
  status: TaskStatus;
  /** What the caller gets; not there when it has a result. */
  error?: any;
}

export type TaskStatus = 'completed' | 'failed' | 'cancelled' | 'timedOut' | 'queueTimedOut' | 'lost' | 'notStarted' | 'noMemory' | 'closed';

export interface WorkerInfo {
  /** Number of the worker in its farm. */
  workerId: number;
  pid: number;
}

/** How a worker has ended. */
export interface WorkerExit extends WorkerInfo {
  /** null when a signal has ended it. */
  exitCode: number | null;
  signal: string | null;
  signalDescription: string | null;
  /** The last lines it wrote there, at most 8 KiB. */
  stderr: string;
  /** How long it lived (ms). */
  age: number;
  /** CPU time (ms) that it and the children it waited for have used; null where the system did not tell. */
  cpuTime: number | null;
  /** The most memory (bytes) it had resident at a time, shared memory included; null where that is not known. */
  maxMemory: number | null;
  /** Why it ended, in one word. */
  verdict: ExitVerdict;
  /** Why the farm has killed it; null when it has not. */
  killedFor: string | null;
  /** With `killedFor` 'stopped', 'stalled', 'deaf' or 'teardown' how long it was so (ms), else null. */
  killedAfter: number | null;
  /** It left by itself when it was told to; false for one that the farm has killed. */
  planned: boolean;
  /** Why it was told to leave, if it was. */
  retiredFor: RetiredFor | null;
}

/** What an exit and an error say besides with `killedFor: 'limit'`. */
export interface LimitBreach {
  /** The limit that the worker went over. */
  limit: 'memory' | 'cpuTime';
  /** What that limit allows (bytes or ms). */
  allowed: number;
  /** What the worker was seen to have (bytes or ms). */
  seen: number;
}

/**
 * Why a worker ended: out of memory for its JavaScript heap, killed by the kernel's out-of-memory killer, crashed by a
 * signal of its own making, killed by a signal that somebody sent, exited by itself, or `killedFor`, when farm ended it.
 */
export type ExitVerdict = 'heap-out-of-memory' | 'oom-killer' | 'crashed' | 'killed' | 'exited' | 'unknown' | (string & {});

/** Why a worker was told to leave. */
export type RetiredFor = 'idle' | 'recycle' | 'reload' | 'resize' | 'spare' | 'close';

export interface FarmStats {
  state: 'open' | 'closing' | 'closed';
  /** The processes there are. */
  workers: WorkerStats[];
  tasks: {
    /** Tasks that are not settled: `waiting + resting + running`. */
    open: number;
    /** The depth of the queue: those that no worker has started. */
    waiting: number;
    /** Calls beyond them that are held until there is room (`overflow: 'wait'`). */
    held: number;
    /** Those that have failed and wait for their next try. */
    resting: number;
    /** Those that a worker runs, or whose outcome is on its way. */
    running: number;
    /** Tasks settled so far: the sum of those below. One that was refused when it was submitted is none. */
    settled: number;
    /** They have a result. */
    completed: number;
    /** Their code has thrown. */
    failed: number;
    /** Their signal was aborted. */
    cancelled: number;
    /** They ran longer than their `timeout`. */
    timedOut: number;
    /** They waited longer than their `queueTimeout`. */
    queueTimedOut: number;
    /** Their worker ended. */
    lost: number;
    /** No worker could be started. */
    notStarted: number;
    /** There was no shared memory for their arguments or result. */
    noMemory: number;
    /** The farm was closed or destroyed. */
    closed: number;
    /** Not tasks but attempts: those that have failed and were not the last one of their task. */
    retried: number;
  };
  /** How long tasks ran, from their start in the worker to its answer. */
  run: TimeStats;
  /** How long tasks waited, from the call to their start. */
  wait: TimeStats;
  /**
   * Workers that have ended, by cause: the `verdict` of their exit record, `retiredFor` for those that were told to leave,
   * 'start' for those that could not start. A cause that has not occurred is not there.
   */
  exits: Partial<Record<ExitVerdict | RetiredFor | 'start', number>>;
  memory: {
    /** Bytes of shared memory in use for arguments. */
    shared: number;
    /** Bytes of results that this process looks at in place. */
    views: number;
    /** Bytes of memory that all shared memory of the farm takes: what is in use, and what is kept for what comes next. */
    resident: number;
  };
  /** Messages of fork scripts that answered nothing. */
  surplusMessages: number;
  /** Wake-ups that only the supervisor's look around has brought; 0 in a healthy farm. */
  rescuedWakeups: number;
}

export interface WorkerStats extends WorkerInfo {
  state: 'starting' | 'online';
  /**
   * What it is at: 'idle' (it has no task); 'busy' (it runs one); and after some tenths of a second with the same task 'waiting'
   * (its event loop turns), 'blocked' (neither that nor CPU time) or 'stopped' (by a signal).
   */
  activity: 'idle' | 'busy' | 'waiting' | 'blocked' | 'stopped';
  /** It takes no tasks until another one ends (`spares`). */
  spare: boolean;
  /** How long it lives (ms). */
  uptime: number;
  /** Tasks it has answered. */
  tasks: number;
  /** Tasks it runs. */
  running: number;
  /** CPU time it has used (ms). */
  cpu: number;
  /** Memory that it has for itself (bytes). */
  memory: number;
}

/**
 * Milliseconds with three decimals, from a histogram that is right to a thousandth and to a microsecond. 0 while `count`
 * is 0.
 */
export interface TimeStats {
  /** Tasks that a worker has answered; those that timed out, were cancelled or lost are not among them. */
  count: number;
  mean: number;
  min: number;
  max: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Options

/**
 * Where workers write to: this process's stream, a stream of the farm, this process's stream with the worker's number
 * before each line, or nowhere.
 */
export type OutputOption = 'inherit' | 'pipe' | 'prefix' | 'ignore';

export type RetryOn = 'exit' | 'timeout' | 'error';

/** Options of every farm. Durations are milliseconds; Infinity stands for no limit. */
interface CommonOptions {
  /** Most workers at a time, 1 to 1024. Default: as many CPUs as this process may use. */
  max?: number;
  /** Workers that are kept when there is nothing to do. Default 0. */
  min?: number;
  /** After this time (ms) an idle worker above `min` ends. Default 30000. */
  idleTimeout?: number;
  /** A task may run this long (ms), counted from its start. Default Infinity. */
  timeout?: number;
  /** A task may wait this long (ms) for its start. Default Infinity. */
  queueTimeout?: number;
  /** How often a task is tried again after a failure that `retryOn` names, at most. Default 0. */
  retries?: number;
  /** After which failures: 'exit' (its worker ended), 'timeout', 'error' (it threw or rejected). Default ['exit']. */
  retryOn?: readonly RetryOn[];
  /** A task that has ended so many workers is not tried again, whatever `retries` says; at least 1. Default 3. */
  maxCrashes?: number;
  /** Most tasks that wait for a worker, that is open tasks beyond `max` x `tasksPerWorker`; 0 for none. Default Infinity. */
  maxQueue?: number;
  /**
   * What becomes of a call when so many wait: it rejects with `ERR_FARM_QUEUE_FULL`, or is held, with its values as they are,
   * until there is room. Default 'reject'. Calls of `map` always wait.
   */
  overflow?: 'reject' | 'wait';
  /** Time (ms, finite) between asking a task to stop and SIGTERM to its worker. Default 1000. */
  grace?: number;
  /** A worker may take this long (ms) until it is ready. Default 30000. */
  startTimeout?: number;
  /**
   * Starts that fail in a row, with no worker left, until tasks are turned away at once with the first of these errors
   * (`breaker: 'open'`, `retryAfter`); after a wait of up to 30 s the next task tries one start again. Default 5.
   */
  startAttempts?: number;
  /**
   * Workers beyond those at work, with the module loaded, that take the place of one that crashes, is killed or is replaced:
   * the next task then waits for no start. Each is a process of its own, beside `max`; a farm with nothing to do keeps none.
   * 0 to 64. Default 0.
   */
  spares?: number;
  /**
   * After what a worker is replaced. It goes on until its successor is ready, so these are no exact bounds. Each limit
   * varies by a tenth from worker to worker. Default: never.
   */
  recycle?: RecycleOptions;
  /**
   * A worker that is stopped by a signal (SIGSTOP) while a task needs it, or a reload waits for its start, is killed after
   * this time (ms), with `killedFor: 'stopped'`. A debugger does not count. Default 5000.
   */
  stoppedTimeout?: number;
  /** Environment of the workers. Default: that of this process when the farm is made. */
  env?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Working directory of the workers. Default: that of this process when the farm is made. */
  cwd?: string | URL;
  /** `process.argv` of the workers from index 2 on. Default []. */
  argv?: readonly string[];
  /** Options of node. Default: those of this process without `--inspect*`, `--eval`, `--test*` and the like. */
  execArgv?: readonly string[];
  /** The node executable. Default: `process.execPath`. */
  execPath?: string;
  /** Default 'inherit'. */
  stdout?: OutputOption;
  /** Default 'inherit'. */
  stderr?: OutputOption;
  /**
   * What a worker has started within its process group ends with the worker, and with this process, however that ends: a
   * small guard process sees to that. Where a cgroup (v2) is delegated to this process, also what has left the group. Default true.
   */
  killTree?: boolean;
  /** Starts each worker with an inspector on a free port. Default false. */
  inspect?: boolean;
  /** What each worker may use. Default: as much as this process. See docs/limits.md. */
  limits?: WorkerLimits;
  /** Other names for some limits, and V8's own. Default: none. */
  resourceLimits?: ResourceLimits;
}

/** What one worker may use. What this system cannot enforce throws `ERR_FARM_UNSUPPORTED` at creation. */
export interface WorkerLimits {
  /**
   * Private memory (bytes; at least 32 MiB): what it has resident and shares with nobody. A worker with more is killed; its
   * task rejects with `ERR_FARM_LIMIT`. Default: no limit.
   */
  memory?: number;
  /**
   * CPU time for the time that passes, as a number of CPUs (0.01 to 1024; 1 is one whole CPU): a worker with more pauses.
   * Default: no limit.
   */
  cpu?: number;
  /**
   * CPU time (ms) in the worker's whole life. When it is used up it is killed; its task rejects with `ERR_FARM_LIMIT`.
   * Default: no limit.
   */
  cpuTime?: number;
  /** Open files (a number): each has a descriptor below it. The worker's own count too. Default: as this process. */
  files?: number;
  /**
   * Processes and threads (a number): its own where it has a cgroup, else all of this user, and then not for root.
   * Default: as this process.
   */
  processes?: number;
  /** Nice value, -20 (first) to 19 (last). Below that of this process it needs a privilege. Default: that of this process. */
  nice?: number;
  /** Numbers of the CPUs it may run on. Default: those of this process. */
  affinity?: readonly number[];
}

/** After what a worker is replaced by a fresh one. */
export interface RecycleOptions {
  /** Tasks it has ended. */
  tasks?: number;
  /** How long it lives (ms, finite). */
  age?: number;
  /** Bytes of private memory; looked at four times a second while there are tasks. */
  memory?: number;
}

/** As `worker_threads` and guides to it name limits. */
export interface ResourceLimits {
  /** `limits.memory` (bytes). */
  maxMemory?: number;
  /** `limits.cpu` in percent (1 to 102400; 100 is one CPU). */
  maxCpuPercentage?: number;
  /** V8's old generation (MiB): `--max-old-space-size`. */
  maxOldGenerationSizeMb?: number;
  /** V8's young generation (MiB): three times `--max-semi-space-size`. */
  maxYoungGenerationSizeMb?: number;
  /** V8 takes it for threads only: `ERR_FARM_UNSUPPORTED`. */
  codeRangeSizeMb?: number;
  /** Stack of the main thread (MiB): `--stack-size`. */
  stackSizeMb?: number;
}

export interface FarmOptions extends CommonOptions {
  /** Tasks that one worker runs at a time, 1 to 64. More than 1 is for tasks that wait, not for those that compute. Default 1. */
  tasksPerWorker?: number;
  /**
   * A task may hold a worker for this time (ms) whose event loop does not turn, while neither the worker nor a process that it
   * started uses CPU time: a deadlock, or a call that never returns. Then the worker is killed, with `killedFor: 'stalled'`.
   * Default Infinity, since a synchronous wait for something slow looks the same. Not with `inspect`.
   */
  stallTimeout?: number;
  /** Any value that can be cloned; each worker has a copy as `workerData` of `farm/worker`. */
  workerData?: unknown;
  /**
   * How values travel: structured clone ('default'), JSON, or the path or `file:` URL of a module that exports the two
   * functions of `Codec`. It is found like a worker module and loaded by the farm, at once, and by each worker.
   */
  codec?: 'default' | 'json' | (string & {}) | URL;
  /** Binary of 64 KiB and more arrives as a view of shared memory; false: as a copy. Default true. */
  views?: boolean;
  /** Time (µs, 0 to 1000) an idle worker looks for the next task before it sleeps; 0 saves CPU. Default 20. */
  spin?: number;
  /**
   * Bytes of shared memory that arguments on their way may take, and as many the results of each worker. What does not fit
   * rejects with `ERR_FARM_NO_MEMORY`. Default: a quarter of what this process may have.
   */
  maxSharedMemory?: number;
}

export interface ForkOptions extends CommonOptions {
  /** The message by which the script says that it is ready. Default: it is ready as soon as it runs. */
  ready?: unknown;
}

export interface ForkSource {
  /** The script, as `createService` takes it. */
  fork: string | URL;
}

/**
 * What a codec module exports, by name or as its default export. What these functions throw rejects that task alone. For
 * a task the value is an array: the method's name, then the arguments.
 */
export interface Codec {
  encode(value: any): Uint8Array;
  /** The bytes are a copy, which may be kept. */
  decode(bytes: Uint8Array): any;
}

export interface TaskOptions {
  /** As the farm's, for this task (ms). */
  timeout?: number;
  /** As the farm's, for this task (ms). */
  queueTimeout?: number;
  /** As the farm's, for this task. */
  retries?: number;
  /** As the farm's, for this task. */
  retryOn?: readonly RetryOn[];
  /** Higher goes first, from -1000 to 1000; within one priority the first. Default 0. */
  priority?: number;
  /** Cancels the task; it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Is called with each value that the task emits, in order and before its result. */
  onProgress?: (value: any) => void;
}

export interface MapOptions {
  /** Tasks under way at a time. Default: twice the farm's `max`. */
  concurrency?: number;
  /** Results in the order of the items; false: as they come. Default true. */
  ordered?: boolean;
  /** Ends the iteration with the signal's reason and cancels its tasks. */
  signal?: AbortSignal;
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors

export type FarmErrorCode =
  | 'ERR_FARM_WORKER_EXIT'
  | 'ERR_FARM_LIMIT'
  | 'ERR_FARM_TASK_TIMEOUT'
  | 'ERR_FARM_QUEUE_TIMEOUT'
  | 'ERR_FARM_QUEUE_FULL'
  | 'ERR_FARM_CLOSED'
  | 'ERR_FARM_NO_METHOD'
  | 'ERR_FARM_NOT_CLONEABLE'
  | 'ERR_FARM_BAD_DATA'
  | 'ERR_FARM_NO_MEMORY'
  | 'ERR_FARM_START'
  | 'ERR_FARM_UNSUPPORTED'
  | 'ERR_FARM_OPTION';

/** An attempt of a task that was not its last. */
export interface FailedAttempt {
  /** From 1 on. */
  attempt: number;
  /** Of its error. */
  name: string;
  message: string;
  code?: string;
  workerId?: number;
  pid?: number;
  /** After an exit. */
  exitCode?: number | null;
  signal?: string | null;
}

/** An error of the farm itself. What a task throws arrives as it was thrown. */
export class FarmError extends Error {
  /** @internal */
  constructor(code: FarmErrorCode, message: string, details?: { cause?: unknown; [detail: string]: unknown });
  readonly code: FarmErrorCode;
  /** With `ERR_FARM_START`: which step failed. With `ERR_FARM_UNSUPPORTED`: what is not supported. */
  readonly reason?: 'resolve' | 'spawn' | 'load' | 'handshake' | 'platform' | 'runtime' | 'bundled' | 'binary' | 'limit' | 'supervisor';
  /** With `ERR_FARM_START` when several starts in a row have failed: no start is tried for `retryAfter` ms. */
  readonly breaker?: 'open';
  readonly retryAfter?: number;
  /** With `ERR_FARM_START` and 'resolve': the places that were looked at. */
  readonly looked?: string[];
  /** With `retries`, on the error of the last attempt, whichever it is: how many there were. */
  readonly attempts?: number;
  /** With `retries`: the earlier attempts. */
  readonly history?: readonly FailedAttempt[];
  /** With `ERR_FARM_WORKER_EXIT`: the task has ended `maxCrashes` workers and is not tried again. */
  readonly quarantined?: true;
  /** With `ERR_FARM_WORKER_EXIT`: the worker was killed for another task in it. */
  readonly collateral?: true;
  /** With `ERR_FARM_NO_METHOD`: the methods there are. */
  readonly methods?: string[];
  /** With `ERR_FARM_OPTION`: the option's name. */
  readonly option?: string;
  /** Further facts, which depend on the code. */
  readonly [detail: string]: unknown;
}
