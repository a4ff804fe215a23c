import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { startTail } from '../../../src/edges/kafka/tail.ts';

/** Kafka that fails at one step; what is open is counted. */
function kafkaThatFails(at: 'offsets' | 'connect' | 'run') {
  const open = new Set<string>();
  const fail = async (step: typeof at): Promise<void> => {
    if (step === at) throw new Error(`no ${step}`);
  };
  const client = (name: string) => ({
    connect: async () => void open.add(name),
    disconnect: async () => void open.delete(name),
  });
  const kafka = {
    admin: () => ({
      ...client('admin'),
      fetchTopicOffsets: async () => {
        await fail('offsets');
        return [{ partition: 0, low: '0', high: '4' }];
      },
    }),
    consumer: () => ({
      ...client('consumer'),
      connect: async () => {
        open.add('consumer');
        await fail('connect');
      },
      events: {},
      on: () => undefined,
      subscribe: async () => undefined,
      run: () => fail('run'),
    }),
  } as unknown as Kafka;
  return { kafka, open };
}

describe('a tail', () => {
  it.each(['offsets', 'connect', 'run'] as const)(
    'leaves no connection open when it cannot start: %s',
    async (step) => {
      const { kafka, open } = kafkaThatFails(step);
      const options = { kafka, topic: 't', from: 'beginning' as const, onRecords: () => undefined };
      await expect(startTail({ ...options, log: pino({ level: 'silent' }) })).rejects.toThrow(`no ${step}`);
      expect([...open]).toEqual([]);
    },
  );
});
