// The types of farm/worker; checked by tsc, never run.
import context, { emit, workerData } from 'farm/worker';

export async function count(upTo: number): Promise<number> {
  emit({ started: true });
  for (let i = 0; i < upTo && !context.cancelled; i++) void context.emit(i);
  const signal: AbortSignal = context.signal;
  signal.throwIfAborted();
  // @ts-expect-error the context is read-only
  context.attempt = 2;
  const id: number = context.workerId;
  return id + (workerData as number);
}
