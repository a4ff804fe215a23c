import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NODE_MIN, tooOld } from '../../src/cli/node-version.ts';
import { packageRoot } from '../../src/stack/paths.ts';

it.each(['20.20.2', '22.22.0', '23.11.1', '8.0.0'])('Node %s is too old', (version) => {
  expect(tooOld(version)).toBe(
    `reliable-tasking needs Node 24 or newer; this is Node ${version}. Install it from nodejs.org, then run the command again.`,
  );
});

it.each(['24.0.0', '24.21.0', '25.1.0', '100.0.0'])('Node %s will do', (version) => {
  expect(tooOld(version)).toBeUndefined();
});

it('npm is told the same', () => {
  const { engines } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  expect(engines.node).toBe(`>=${NODE_MIN}`);
});

/** Runs the command as a Node of that version would; what it loads beside the first two files ends it. */
function runOn(version: string): Promise<{ code: number; out: string; err: string }> {
  const preload = `
    import { registerHooks } from 'node:module';
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
    registerHooks({ resolve(specifier, context, next) {
      if (!/(main|node-version)\\.ts$/.test(specifier)) throw new SyntaxError('loaded ' + specifier);
      return next(specifier, context);
    } });`;
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(preload)}`,
    join(packageRoot, 'src/cli/main.ts'),
    '--help',
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }));
  });
}

it('the command prints a one-line error before it loads anything that an older Node cannot parse', async () => {
  expect(await runOn('20.20.2')).toEqual({ code: 2, out: '', err: `${tooOld('20.20.2')}\n` });
});

it('the command loads the rest on a supported Node', async () => {
  expect((await runOn(process.versions.node)).err).toContain('loaded ./run.ts');
});
