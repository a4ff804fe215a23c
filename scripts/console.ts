// The web console as files in dist/console, which the API serves. Built by `npm run build`, and by whatever starts a server of
// this checkout when a source is newer than what was built.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { packageRoot } from '../src/stack/paths.ts';

const sources = join(packageRoot, 'src', 'console');
const built = join(packageRoot, 'dist', 'console', 'index.html');

export async function buildConsole(): Promise<void> {
  await build({ configFile: join(sources, 'vite.config.ts'), logLevel: 'warn' });
}

/** Answers whether it had to be built. */
export async function buildConsoleIfStale(): Promise<boolean> {
  if (existsSync(built) && newestMs() <= statSync(built).mtimeMs) return false;
  await buildConsole();
  return true;
}

/** Of the console's own files, the few that it shares with the rest of src, and the versions of its packages. */
function newestMs(): number {
  const own = readdirSync(sources, { recursive: true, encoding: 'utf8' }).map((name) => join(sources, name));
  const shared = ['src/cli/sse.ts', 'src/model/platforms.ts', 'package-lock.json'].map((name) =>
    join(packageRoot, name),
  );
  return Math.max(...[...own, ...shared].map((path) => statSync(path).mtimeMs));
}
