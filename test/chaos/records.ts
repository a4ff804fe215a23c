/** All records of the topics as they stand on the broker, decoded, in the order in which they were appended. */
import type { Codec } from '../../src/edges/avro/codec.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { startTail } from '../../src/edges/kafka/tail.ts';
import type { InRecord } from '../../src/ports.ts';
import { TOPICS, type TopicKey } from '../../src/topics.ts';
import type { System } from '../integration/support/system.ts';

/** `value` null: no such record, or none of this topic. `topic` is the key of the catalogue. */
export type Entry = {
  topic: TopicKey;
  partition: number;
  offset: number;
  /** By the broker's clock, except of org-settings. */
  atMs: number;
  key: string | null;
  value: unknown;
  headers: Record<string, string>;
};

/** The order of records with the same timestamp: a cause comes before its effect, a dispatch before what ends its delivery. */
const ORDER: readonly TopicKey[] = [
  'orgSettings',
  'commands',
  'presence',
  'dispatch',
  'sensorEvents',
  'taskEvents',
  'deadLetter',
];

export async function readEntries(system: System): Promise<Entry[]> {
  const kafka = createKafka(system.config, system.log);
  const entries: Entry[] = [];
  const read = async (topic: TopicKey): Promise<void> => {
    const onRecords = (records: InRecord[]) => {
      for (const record of records) entries.push(entryOf(system.codec, topic, record));
    };
    const tail = await startTail({ kafka, topic: system.topics[topic], from: 'beginning', onRecords, log: system.log });
    await tail.caughtUp();
    await tail.stop();
  };
  await Promise.all(ORDER.map(read));
  return inOrder(entries);
}

/** Settings are known before all else: their times are those of their writers. */
export function inOrder(entries: readonly Entry[]): Entry[] {
  const rank = ({ topic }: Entry) => ORDER.indexOf(topic);
  const time = ({ topic, atMs }: Entry) => (topic === 'orgSettings' ? 0 : atMs);
  return entries.toSorted((a, b) => time(a) - time(b) || rank(a) - rank(b) || a.offset - b.offset);
}

function entryOf(
  codec: Codec,
  topic: TopicKey,
  { partition, offset, timestampMs, key, value, headers }: InRecord,
): Entry {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)]));
  const origin = { topic, partition, offset, atMs: timestampMs, key: key?.toString() ?? null, headers: texts };
  return { ...origin, value: decoded(codec, topic, value) };
}

function decoded(codec: Codec, topic: TopicKey, value: Buffer | null): unknown {
  const { record } = TOPICS[topic];
  try {
    return record === null || value === null ? null : codec.decode(record, value);
  } catch {
    return null;
  }
}
