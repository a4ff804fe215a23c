/** Pythons with packages, in virtual environments below the cache folder. */
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../src/stack/paths.ts';

const run = promisify(execFile);

const PACKAGES = ['fastavro==1.13.1', 'confluent-kafka==2.16.1'];
const VENV = join(cacheDir(), 'venv');
const PYTHON = join(VENV, 'bin', 'python');

async function imports(): Promise<boolean> {
  return run(PYTHON, ['-c', 'import fastavro, confluent_kafka']).then(
    () => true,
    () => false,
  );
}

/** The command of a Python that has the packages, made at the first call, or why there is none. */
export async function pythonWithPackages(): Promise<{ command: string } | { missing: string }> {
  if (await imports()) return { command: PYTHON };
  try {
    await run('python3', ['-m', 'venv', '--clear', VENV]);
    await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  } catch (error) {
    return {
      missing: `Python 3 with venv, and pip that can install ${PACKAGES.join(', ')}: ${(error as Error).message}`,
    };
  }
  return { command: PYTHON };
}

/** The folder of a virtual environment with exactly these packages; `name` tells their versions, since what is there is taken
 *  as it is. Throws where it can't be made: a test that needs it has failed. */
export async function venvOf(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(cacheDir(), 'python', name);
  const whole = join(folder, '.whole');
  if (existsSync(whole)) return folder;
  try {
    await run('python3', ['-m', 'venv', '--clear', folder]);
    await run(join(folder, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '-q',
      '--disable-pip-version-check',
      ...packages,
    ]);
  } catch (cause) {
    throw new Error(
      `${packages.join(', ')} could not be installed: it needs Python 3 with venv, and pip that reaches its index.`,
      { cause },
    );
  }
  writeFileSync(whole, '');
  return folder;
}
