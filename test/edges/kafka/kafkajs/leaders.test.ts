import { describe, expect, it } from 'vitest';
import { whileLeadersSettle } from '../../../../src/edges/kafka/kafkajs/leaders.ts';

const failing = (type: string, times: number) => {
  const asked = { times: 0, waits: [] as number[] };
  const clock = { delay: async (ms: number) => void asked.waits.push(ms) };
  const ask = async () => {
    asked.times += 1;
    if (asked.times <= times) throw Object.assign(new Error('no'), { type });
    return 'answer';
  };
  return { asked, run: () => whileLeadersSettle(ask, clock) };
};

describe('a request while leaders settle', () => {
  it.each([
    'NOT_LEADER_FOR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'NOT_COORDINATOR_FOR_GROUP',
  ])('is repeated after %s', async (type) => {
    const { asked, run } = failing(type, 3);
    expect(await run()).toBe('answer');
    expect(asked.waits).toEqual([200, 200, 200]);
  });

  it('ends with the last error after thirty seconds', async () => {
    const { asked, run } = failing('LEADER_NOT_AVAILABLE', 1_000);
    await expect(run()).rejects.toThrow('no');
    expect(asked.waits.reduce((sum, ms) => sum + ms, 200)).toBe(30_000);
  });

  it('ends at once with any other error', async () => {
    const { asked, run } = failing('TOPIC_AUTHORIZATION_FAILED', 1);
    await expect(run()).rejects.toThrow('no');
    expect(asked.times).toBe(1);
  });
});
