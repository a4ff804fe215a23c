/** The version of the package that runs. */
import { readFileSync } from 'node:fs';

/** From package.json, which stands one folder up both in a checkout (src) and when installed (dist). */
export function version(): string {
  const path = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
