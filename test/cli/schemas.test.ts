import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RECORD_NAMES } from '../../src/model/records.ts';
import { type FakeRegistry, startFakeRegistry } from '../edges/avro/fake-registry.ts';
import { run } from './fixtures.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(() => registry.stop());

const schemas = async (...args: string[]) => {
  const { exitCode, out, err } = await run(['schemas', ...args, '--json'], {
    env: { SCHEMA_REGISTRY_URL: registry.url, KAFKA_TOPIC_PREFIX: 'x.' },
  });
  return { exitCode, err, answer: out ? JSON.parse(out) : undefined };
};
const statesOf = (answer: { subjects: { state: string }[] }) => [...new Set(answer.subjects.map(({ state }) => state))];

describe('rt schemas', () => {
  it('checks the history of every record, without a registry too', async () => {
    const { exitCode, out } = await run(['schemas', 'check'], { env: {} });
    expect(exitCode).toBe(0);
    for (const name of RECORD_NAMES) expect(out).toContain(name);
  });

  it('registers each record under its topic, after which the registry has them', async () => {
    expect(statesOf((await schemas('check')).answer)).toEqual(['new']);
    const { exitCode, answer } = await schemas('register');
    expect(exitCode).toBe(0);
    expect(answer.subjects.map(({ subject }: { subject: string }) => subject)).toContain('x.task-commands-value');
    expect(answer.subjects).toHaveLength(RECORD_NAMES.length);
    expect(statesOf((await schemas('check')).answer)).toEqual(['registered']);
  });

  it('fails where the registry has something that ours does not go with', async () => {
    registry.levels.set('x.task-commands-value', 'BACKWARD');
    registry.refuse = true;
    expect(await schemas('check')).toMatchObject({ exitCode: 1, err: expect.stringContaining('schema_incompatible') });
  });

  it('says so when there is nothing to register with, or nobody answers', async () => {
    expect((await run(['schemas', 'register'], { env: {} })).exitCode).toBe(2);
    registry.failWith = 500;
    expect(await schemas('check')).toMatchObject({ exitCode: 6, err: expect.stringContaining('unavailable') });
  });
});
