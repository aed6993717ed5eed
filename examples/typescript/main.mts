// A typed service: arguments and results are those of the worker module, which this process never loads.
//   node examples/typescript/main.mts                                               Node.js 22.18 and newer
//   npx tsc -p examples/typescript && node examples/typescript/main.mjs             older ones

import { createService, farmOf, FarmError } from 'farm';

// The compiler reads the types from worker.mts; at run time worker.mjs is taken where it exists, else worker.mts.
const service = createService<typeof import('./worker.mjs')>('./worker.mjs', { max: 1 });

const corners = [{ x: 0, y: 0 }, { x: 6, y: 8 }] as const;
const length: number = await service.distance(...corners);
const { x, y } = await service.centre([...corners]);
console.log(`length ${length}, centre ${x}/${y}`);

// @ts-expect-error the compiler knows that this function takes points
const wrong = await service.distance('here').catch((error: unknown) => error);
console.log(wrong instanceof FarmError ? wrong.code : `thrown in the worker: ${(wrong as Error).name}`);

await farmOf(service).close();
