// The stack in Docker. If Docker can't run it, one line says why and the next source is tried. It is an error only with
// STACK_SOURCE=docker.

import { StackInUse, StackSettingError } from '../errors.ts';
import type { SourceOptions, Stack } from '../source.ts';
import { composeImages, runCompose } from './compose.ts';
import { runContainers, testImages } from './containers.ts';
import { askDocker, getImages } from './docker.ts';

/** Undefined when Docker can't run it and need not (`need: 'try'`). A machine without Docker logs nothing. */
export async function runDocker(options: SourceOptions, need: 'try' | 'must'): Promise<Stack | undefined> {
  const forTest = options.purpose === 'test';
  const answer = await askDocker(forTest ? [] : ['compose']);
  if (answer.is === 'absent' && need === 'try') return undefined;
  try {
    if (answer.is === 'absent') throw new Error('docker is not installed');
    if (answer.is === 'silent') throw new Error(answer.why);
    await getImages(forTest ? Object.values(testImages) : composeImages, options.log);
    return await (forTest ? runContainers(options) : runCompose(options));
  } catch (error) {
    if (error instanceof StackInUse || error instanceof StackSettingError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    if (need === 'must') throw new Error(`Docker can't bring up the stack: ${why}`);
    options.log(`Not using Docker (${why}); starting local processes instead`);
    return undefined;
  }
}
