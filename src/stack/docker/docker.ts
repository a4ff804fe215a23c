// The docker command line. Each call has a time limit: a daemon that does not answer must cost seconds, not the start.

import { runTool } from '../process/tool.ts';

const ANSWER_MS = 8000;
const PULL_MS = 120_000;

/** What execa rejects with, as far as it is read here. */
type Failure = { code?: string; timedOut?: boolean; stderr?: string; shortMessage: string };

/** Runs `docker ARGS` and gives its output, trimmed. Throws an error with one line that says why it failed. */
export async function docker(args: readonly string[], timeoutMs: number, env: NodeJS.ProcessEnv = {}): Promise<string> {
  try {
    return (await runTool('docker', args, { timeout: timeoutMs, env })).trim();
  } catch (error) {
    throw new Error(failureLine(error as Failure, timeoutMs));
  }
}

/** Why a call failed, in one line. Docker's last line is the one for people. */
export function failureLine(failure: Failure, timeoutMs: number): string {
  if (failure.code === 'ENOENT') return 'docker is not installed';
  if (failure.timedOut) return `no answer within ${timeoutMs / 1000} s`;
  const lines = (failure.stderr ?? '').split('\n').filter((line) => line.trim() !== '' && !line.includes('--help'));
  return lines.at(-1)?.trim() ?? failure.shortMessage;
}

/** `absent`: no docker command. Otherwise `silent` with a reason, or `ready`. `plugins` must be there too, such as `compose`. */
export type DockerAnswer = { is: 'absent' } | { is: 'silent'; why: string } | { is: 'ready' };

export async function askDocker(plugins: readonly string[]): Promise<DockerAnswer> {
  try {
    await docker(['version', '--format', '{{.Server.Version}}'], ANSWER_MS);
    for (const plugin of plugins) await docker([plugin, 'version'], ANSWER_MS);
    return { is: 'ready' };
  } catch (error) {
    const why = (error as Error).message;
    return why === 'docker is not installed' ? { is: 'absent' } : { is: 'silent', why };
  }
}

export async function hasImage(image: string): Promise<boolean> {
  try {
    return (await docker(['image', 'ls', '-q', image], ANSWER_MS)) !== '';
  } catch {
    return false;
  }
}

/** Pulls the missing images. Throws a line that names the image that can't be pulled. */
export async function getImages(images: readonly string[], log: (line: string) => void): Promise<void> {
  const there = await Promise.all(images.map(hasImage));
  const missing = images.filter((_, index) => !there[index]);
  if (missing.length === 0) return;
  log(`Pulling ${missing.join(' and ')} (once)`);
  await Promise.all(
    missing.map(async (image) => {
      try {
        await docker(['pull', '-q', image], PULL_MS);
      } catch (error) {
        throw new Error(`${image} can't be pulled: ${(error as Error).message}`);
      }
    }),
  );
}
