/** A Python with the packages that docs/producing.md asks for, in a virtual environment below the cache folder. */
import { execFile } from 'node:child_process';
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
