// The web console as files in dist/console, which the API serves. Built by `npm run build`, and by whatever starts a server of
// this checkout when a source is newer than what was built.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { packageRoot } from '../src/stack/paths.ts';

const sources = join(packageRoot, 'src', 'console');
const built = join(packageRoot, 'dist', 'console', 'index.html');

export async function buildConsole(): Promise<void> {
  await build({ configFile: join(sources, 'vite.config.ts'), logLevel: 'warn' });
  compress(join(dirname(built), 'assets'));
}

/** Beside each file, what is served to browsers that take it: all that there are take Brotli. */
function compress(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    writeFileSync(`${path}.br`, brotliCompressSync(bytes));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  }
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
  const shared = ['src/text/sse.ts', 'src/model/platforms.ts', 'package-lock.json'].map((name) =>
    join(packageRoot, name),
  );
  return Math.max(...[...own, ...shared].map((path) => statSync(path).mtimeMs));
}
