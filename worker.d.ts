/**
 * `require('farm/worker')`: the context of the running task, for code inside a worker.
 *
 * In CommonJS read it as properties (`ctx.signal`); in an ES module use the default import (`import ctx from
 * 'farm/worker'`), since `import { signal }` would be read only once. `emit`, `workerId` and `workerData` can be imported
 * by name.
 *
 * What a task leaves running when it ends, such as a timer, belongs to no task. With `tasksPerWorker: 1` and before Node.js
 * 24 it is taken for part of the task that runs when it fires, if one does.
 *
 * Outside of a worker every use throws a FarmError with the code ERR_FARM_UNSUPPORTED; so does a use of what belongs to a
 * task while none runs.
 */
declare namespace context {
  interface WorkerContext {
    /** Fires when the caller cancels the task or its timeout has passed. Made when it is first read. */
    readonly signal: AbortSignal;
    /** Whether the task shall stop. Unlike `signal.aborted` it is up to date inside synchronous code too. */
    readonly cancelled: boolean;
    /** 1 for the first run of the task. */
    readonly attempt: number;
    /** Name of the called method, '' for the module's single function. */
    readonly method: string;
    /** Number of this worker in its farm. Also readable while no task runs. */
    readonly workerId: number;
    /** A copy of the farm's option `workerData`. Also readable while no task runs. */
    readonly workerData: any;
    /**
     * Sends a progress value to the caller's `onProgress`, in order and before the result. The promise resolves when there was
     * room for it: wait for it in a task that emits much, since the caller may be slow. Who does not wait is stopped inside
     * `emit` once 1 MiB of values (128 bytes for each counted in) is without room.
     * @throws ERR_FARM_NOT_CLONEABLE when the value cannot be carried
     */
    emit(value: unknown): Promise<void>;
  }
}

declare const context: context.WorkerContext;
export = context;
