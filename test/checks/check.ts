/** Runs a script of package.json; its output is the message of the failure. */
import { execa } from 'execa';
import { expect } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { packageRoot } from '../../src/stack/paths.ts';

export async function passes(script: 'typecheck' | 'lint'): Promise<void> {
  const options = { shell: true, preferLocal: true, cwd: packageRoot, all: true, reject: false } as const;
  const { exitCode, all } = await execa(manifest.scripts[script], options);
  expect(exitCode, all).toBe(0);
}
