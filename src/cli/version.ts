/** The version of the package that runs. */
import { readFileSync } from 'node:fs';

/** From package.json, which stands two folders up both in a checkout (src/cli) and when installed (dist/cli). */
export function version(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
