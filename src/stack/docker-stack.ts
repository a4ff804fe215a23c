import type { SourceOptions, Stack } from './stack.ts';

export async function runDocker(_options: SourceOptions, _need: 'try' | 'must'): Promise<Stack | undefined> {
  return undefined;
}
