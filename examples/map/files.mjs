// The files below a folder, one after the other.

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** @param {URL} folder ends with a slash */
export async function* filesBelow(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* filesBelow(new URL(`${entry.name}/`, folder));
    else if (entry.isFile()) yield fileURLToPath(new URL(entry.name, folder));
  }
}
