// npm run build: src/ as JavaScript in dist/, which is what `npm pack` ships (Node does not strip types below node_modules). The
// folders keep their depth, so whatever is read from the package's root by a relative path is found from both.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/stack/paths.ts';
import { buildConsole } from './console.ts';

const src = join(packageRoot, 'src');
const dist = join(packageRoot, 'dist');
const bin = join(dist, 'cli', 'main.js');

// A file that has left src/ must not stay in the package.
rmSync(dist, { recursive: true, force: true });
const compiler = join(packageRoot, 'node_modules/.bin/tsc');
const compiled = spawnSync(compiler, ['-p', join(packageRoot, 'tsconfig.build.json')], { stdio: 'inherit' });
if (compiled.status !== 0) {
  // tsc writes its output all the same; half a build must not be packed.
  rmSync(dist, { recursive: true, force: true });
  console.error('The build failed: the compiler says why above.');
  process.exit(1);
}

// Everything else that the program reads beside its code: Redis scripts, pages, styles.
const isCarried = (path: string) =>
  !path.startsWith(join(src, 'console')) && (statSync(path).isDirectory() || !path.endsWith('.ts'));
cpSync(src, dist, { recursive: true, filter: isCarried });
await buildConsole();

if (!existsSync(bin)) throw new Error(`${bin} was not made`);
chmodSync(bin, 0o755);
console.log(`built ${dist}`);
