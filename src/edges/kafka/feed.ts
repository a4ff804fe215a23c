/** Task events of all orgs as they are written, given to whoever listens to one org. */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { TaskEvent } from '../../model/records.ts';
import type { Codec } from '../avro/codec.ts';
import { decodeAll } from './inbox.ts';
import { startTail } from './tail.ts';

type Listener = (id: string, event: TaskEvent) => void;

export type Feed = { subscribe(oid: string, listener: Listener): () => void; stop(): Promise<void> };

export async function followTaskEvents(options: {
  kafka: Kafka;
  topic: string;
  codec: Codec;
  log: Logger;
}): Promise<Feed> {
  const { kafka, topic, codec, log } = options;
  const listeners = new Map<string, Set<Listener>>();
  const tail = await startTail({
    kafka,
    topic,
    from: 'end',
    maxWaitMs: 50,
    log,
    onRecords: async (records) => {
      if (listeners.size === 0) return;
      for (const item of await decodeAll(codec, 'TaskEvent', records)) {
        if (!('value' in item)) continue; // the projector writes the dead letter
        for (const listener of listeners.get(item.value.oid) ?? [])
          listener(`${item.record.partition}:${item.record.offset}`, item.value);
      }
    },
  });
  return {
    subscribe: (oid, listener) => {
      const set = listeners.get(oid) ?? new Set();
      listeners.set(oid, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(oid);
      };
    },
    stop: () => tail.stop(),
  };
}
