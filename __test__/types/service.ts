// Checked by tsc, never run: each expectation is a line that must compile, or one that must not.
import { createService, farmOf, FarmError, WorkerFarm } from 'farm';
import type { FarmOptions, ForkOptions, MapOptions, RecycleOptions, ResourceLimits, Service, TaskOptions, WorkerLimits } from 'farm';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function expectType<Expected>(): <Actual>(value: Actual, same: Equal<Actual, Expected>) => void;

export async function typedModule(): Promise<void> {
  const service = createService<typeof import('./worker-module')>('./worker-module.js', { max: 2 });

  expectType<Promise<number>>()(service.add(1, 2), true);
  expectType<Promise<string>>()(service.greet('Ada'), true);
  expectType<Promise<string>>()(service.greet('Ada', true), true);
  expectType<Promise<number>>()(service.total(1, 2, 3), true);
  service.add(1, 2, (error, sum) => {
    expectType<number>()(sum, true);
    void error;
  });
  // A parameter that may be left out may be left out before a callback too.
  service.greet('Ada', (_, text) => expectType<string>()(text, true));
  service.greet('Ada', true, (_, text) => expectType<string>()(text, true));
  service.total((_, sum) => expectType<number>()(sum, true));
  service.total(1, 2, (_, sum) => expectType<number>()(sum, true));
  const mixed = createService<{ f(a: number, b?: string, ...more: boolean[]): Date }>('./worker-module.js').f;
  mixed(1, (_, date) => expectType<Date>()(date, true));
  mixed(1, undefined, true, false, (_, date) => expectType<Date>()(date, true));
  // @ts-expect-error the first one may not
  service.greet((error: unknown, text: string) => void [error, text]);
  // @ts-expect-error nor may the callback take something else
  service.greet('Ada', (error: unknown, sum: number) => void [error, sum]);
  // A service is no thenable: awaiting it gives the service itself.
  const same: typeof service = await service;
  void same;

  // @ts-expect-error a string is no number
  void service.add('1', 2);
  // @ts-expect-error one argument is missing
  void service.add(1);
  // @ts-expect-error there is no such function
  void service.subtract(1, 2);
  // @ts-expect-error a constant is no method
  void service.limit;
  // @ts-expect-error neither is a class
  void service.Shape;
  // @ts-expect-error nor a hook
  void service.setup();
  // @ts-expect-error the module exports no single function
  void service(1);

  const farm = farmOf(service);
  expectType<WorkerFarm<typeof import('./worker-module')>>()(farm, true);
  expectType<Promise<number>>()(farm.run('add', [1, 2]), true);
  // @ts-expect-error wrong arguments
  void farm.run('add', ['1', 2]);
  // @ts-expect-error no such method
  void farm.run('subtract', [1, 2]);
  await service[Symbol.asyncDispose]();
}

export function otherModules(): void {
  const single = createService<typeof import('./single-module')>('./single-module.js');
  expectType<Promise<number>>()(single(3), true);
  // @ts-expect-error a string is no number
  void single('3');

  const object = createService<typeof import('./object-module')>('./object-module.js');
  expectType<Promise<string>>()(object.upper('a'), true);
  // @ts-expect-error a constant is no method
  void object.level;

  const fn = createService<(a: string) => Promise<Date>>(new URL('file:///worker.js'));
  expectType<Promise<Date>>()(fn('a'), true);
}

export async function untypedModule(): Promise<void> {
  const service = createService('./worker.js');
  const result: number = await service.anything(1, 'two', [3]);
  service.anything(1, (error: unknown, value: unknown) => void [error, value]);
  void (await service(result));
  const alias: Service = service;
  const farm: WorkerFarm | undefined = farmOf(alias);
  void farm?.run('anything', [1, 2], { timeout: 10, onProgress: (value) => void value });
  void farm?.run('nothing');
}

export async function farms(): Promise<void> {
  const farm = new WorkerFarm<typeof import('./worker-module')>('./worker-module.js', { min: 1, workerData: { a: 1 } });
  const controller = new AbortController();
  expectType<Promise<string>>()(farm.run('greet', ['Ada'], { signal: controller.signal }), true);
  expectType<Promise<number>>()(farm.service.add(1, 2), true);

  for await (const text of farm.map(['Ada', 'Grace'], 'greet', { concurrency: 4, ordered: false })) {
    expectType<string>()(text, true);
  }
  async function* names(): AsyncGenerator<string> {
    yield 'Ada';
  }
  for await (const text of farm.map(names(), 'greet')) expectType<string>()(text, true);
  // @ts-expect-error numbers are no names
  farm.map([1, 2], 'greet');

  farm.on('exit', (worker) => {
    expectType<number>()(worker.workerId, true);
    expectType<number | null>()(worker.exitCode, true);
    expectType<boolean>()(worker.planned, true);
  });
  farm.on('stdout', (bytes, { workerId }) => void [bytes.toString('utf8'), workerId.toFixed()]);
  farm.on('taskEnd', ({ taskId, run, status }) => void [taskId.toFixed(), run?.toFixed(), status === 'completed']);
  farm.on('taskRetry', (task) => void [task.attempt.toFixed(), task.error]);
  farm.on('workerError', (error, worker) => void [error.message, worker.pid]);
  await farm.ready();
  farm.ref().unref();
  const { state, workers, tasks, memory, run, wait, exits } = farm.stats({ reset: true });
  expectType<number>()(run.p999 + wait.mean + (exits['crashed'] ?? 0), true);
  expectType<'open' | 'closing' | 'closed'>()(state, true);
  expectType<number>()(tasks.open + memory.shared + memory.resident, true);
  for (const { pid, uptime, cpu } of workers) expectType<number>()(pid + uptime + cpu, true);
  // @ts-expect-error there is no such event
  farm.on('finished', () => {});
  await farm.close({ timeout: 100 });
  await farm.destroy();

  const single = new WorkerFarm<typeof import('./single-module')>('./single-module.js');
  expectType<Promise<number>>()(single.run('', [2]), true);
}

export async function forkStyle(): Promise<void> {
  const service = createService({ fork: './child.js' }, { ready: 'ready', timeout: 1000 });
  const answer: number = await service.request({ start: true });
  void answer;
  // @ts-expect-error a fork script has no methods
  void service.add(1, 2);
  // @ts-expect-error it cannot be given workerData
  createService({ fork: './child.js' }, { workerData: 1 });
  // @ts-expect-error ready is for fork scripts
  createService('./worker.js', { ready: 'ready' });
}

export function everyOptionMayBeLeftOut(): void {
  const nothing: [FarmOptions, ForkOptions, TaskOptions, MapOptions, RecycleOptions, WorkerLimits, ResourceLimits] = [{}, {}, {}, {}, {}, {}, {}];
  void nothing;
  createService('./worker.js', { recycle: { tasks: 1000 }, limits: { memory: 2 ** 28 }, resourceLimits: { stackSizeMb: 4 } });
}

export function optionsAndErrors(error: unknown): void {
  const options: FarmOptions = { codec: new URL('file:///codec.js'), stdout: 'prefix', idleTimeout: Infinity };
  void options;
  // @ts-expect-error another pool's word
  createService('./worker.js', { maxWorkers: 2 });
  if (error instanceof FarmError) {
    expectType<'resolve' | 'spawn' | 'load' | 'handshake' | 'platform' | 'runtime' | 'binary' | 'bundled' | 'limit' | 'supervisor' | undefined>()(error.reason, true);
    expectType<number | undefined>()(error.retryAfter, true);
  }
}
