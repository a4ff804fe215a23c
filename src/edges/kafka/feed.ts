/**
 * Passes the task events of an org to its listeners as they are written, and replays earlier ones to a client that reconnects. New
 * events are read once for all listeners; each replay reads for itself.
 */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { LogOffset, TaskEvent } from '../../model/records.ts';
import type { InRecord } from '../../ports.ts';
import type { Codec } from '../avro/codec.ts';
import { decodeAll } from './inbox.ts';
import { startTail } from './tail.ts';

type Listener = (logOffset: LogOffset, event: TaskEvent) => void;
type Positions = ReadonlyMap<number, number>;

export type Feed = {
  positions(): Positions;
  subscribe(oid: string, listener: Listener): () => void;
  replay(
    oid: string,
    from: Positions,
    to: Positions,
    listener: (...args: Parameters<Listener>) => void | Promise<void>,
    given: AbortSignal,
  ): Promise<void>;
  stop(): Promise<void>;
};

export async function followTaskEvents(options: {
  kafka: Kafka;
  topic: string;
  codec: Codec;
  log: Logger;
}): Promise<Feed> {
  const { kafka, topic, codec, log } = options;
  const listeners = new Map<string, Set<Listener>>();
  /** The projector writes the dead letters of records that are no events. */
  const eventsIn = async (records: InRecord[]) =>
    (await decodeAll(codec, 'TaskEvent', records)).flatMap((item) =>
      'value' in item ? [{ logOffset: item.record, event: item.value }] : [],
    );
  const tail = await startTail({
    kafka,
    topic,
    from: 'end',
    maxWaitMs: 50,
    log,
    onRecords: async (records) => {
      if (listeners.size === 0) return;
      for (const { logOffset, event } of await eventsIn(records))
        for (const listener of listeners.get(event.oid) ?? []) listener(logOffset, event);
    },
  });
  return {
    positions: () => tail.positions(),
    subscribe: (oid, listener) => {
      const set = listeners.get(oid) ?? new Set();
      listeners.set(oid, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(oid);
      };
    },
    replay: async (oid, from, to, listener, given) => {
      const wanted = new Map([...to].filter(([partition, offset]) => (from.get(partition) ?? 0) < offset));
      if (wanted.size === 0) return;
      const start = new Map([...wanted.keys()].map((partition) => [partition, from.get(partition) ?? 0]));
      const past = await startTail({
        kafka,
        topic,
        from: start,
        maxWaitMs: 20,
        log,
        onRecords: async (records) => {
          for (const { logOffset, event } of await eventsIn(
            records.filter((r) => r.offset < (wanted.get(r.partition) ?? 0)),
          )) {
            if (given.aborted) return;
            if (event.oid === oid) await listener(logOffset, event);
          }
        },
      });
      const { promise, resolve } = Promise.withResolvers<void>();
      given.addEventListener('abort', () => resolve(), { once: true });
      try {
        await Promise.race([past.reached(wanted), given.aborted ? undefined : promise]);
      } finally {
        await past.stop();
      }
    },
    stop: () => tail.stop(),
  };
}
