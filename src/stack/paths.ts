// Where the stack keeps things. In a checkout everything stays inside it, in folders that git ignores: `.cache` for
// downloads, `.stack` for data. An installed package must not write into node_modules, so there the user's own cache and
// data folders are used.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json; the same depth below it from src/stack and from dist/stack. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

// npm never packs the lock file, so only a checkout has it.
const isCheckout = existsSync(join(packageRoot, 'package-lock.json'));

function userFolder(variable: string, fallback: string, last: string): string {
  return join(process.env[variable] || join(homedir(), fallback), 'reliable-tasking', last);
}

/** Downloads: Kafka's jars, the Redis binary, the schema registry. Safe to delete whenever nothing runs. */
export function cacheDir(): string {
  return isCheckout ? join(packageRoot, '.cache') : userFolder('XDG_CACHE_HOME', '.cache', 'downloads');
}

/** Data of the stack that `npm start` and `rt stack up` bring up, with its ports and the processes that run. */
export function stackDir(): string {
  return isCheckout ? join(packageRoot, '.stack') : userFolder('XDG_DATA_HOME', '.local/share', 'stack');
}

/** A path as a person in the working directory would write it. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere.split(sep).join('/');
}
