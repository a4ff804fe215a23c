import { afterEach, describe, expect, it, vi } from 'vitest';
import { firstFree } from '../../src/stack/ports.ts';
import { run } from './fixtures.ts';

afterEach(() => void vi.unstubAllEnvs());

function environment(env: Record<string, string>): void {
  for (const name of ['KAFKA_BROKERS', 'REDIS_URL', 'STACK_SOURCE', 'KAFKA_PORT', 'REDIS_PORT']) vi.stubEnv(name, '');
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

describe('rt stack up', () => {
  it('is unavailable, and says what to install, where there is nothing to run it on', async () => {
    environment({ STACK_SOURCE: 'docker', PATH: '/nonexistent' });
    const { exitCode, out, err } = await run(['stack', 'up']);
    expect(exitCode).toBe(6);
    expect(out).toBe('');
    expect(err).toMatch(/^stack_unavailable {2}Docker can't bring up the stack: docker is not installed/);
    expect(err).toMatch(/Docker; or Java 17 .* redis-server .* KAFKA_BROKERS and REDIS_URL/);
  });

  it('is unavailable where the servers that the environment names do not answer', async () => {
    const port = await firstFree([]);
    environment({ KAFKA_BROKERS: `127.0.0.1:${port}`, REDIS_URL: `redis://127.0.0.1:${port}` });
    expect(await run(['stack', 'up'])).toMatchObject({ exitCode: 6, err: expect.stringContaining('none of them') });
  });

  it.each([
    [{ STACK_SOURCE: 'podman' }, /^usage {2}STACK_SOURCE=podman/],
    [{ KAFKA_BROKERS: 'kafka:9092' }, /^usage {2}KAFKA_BROKERS is set and REDIS_URL is not/],
  ])('takes %j for a wrong setting', async (env, sentence) => {
    environment(env);
    expect(await run(['stack', 'up'])).toMatchObject({ exitCode: 2, err: expect.stringMatching(sentence) });
  });
});
