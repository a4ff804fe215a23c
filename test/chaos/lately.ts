/** The last records of some topics, as bytes, for faults that write them again. */
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { startTail } from '../../src/edges/kafka/tail.ts';
import type { TopicKey } from '../../src/topics.ts';
import type { System } from '../integration/support/system.ts';

const KEPT = 500;
const TOPICS: readonly TopicKey[] = ['presence', 'sensorEvents', 'commands'];

type Known = { key: string; value: Buffer };
export type Lately = { of(topic: TopicKey): readonly Known[]; stop(): Promise<void> };

export async function followLately(system: System): Promise<Lately> {
  const kafka = createKafka(system.config, system.log);
  const known = new Map<TopicKey, Known[]>(TOPICS.map((topic) => [topic, []]));
  const tails = await Promise.all(
    [...known].map(([topic, list]) =>
      startTail({
        kafka,
        topic: system.topics[topic],
        from: 'beginning',
        log: system.log,
        onRecords: (records) => {
          for (const { key, value } of records) if (key && value) list.push({ key: key.toString(), value });
          list.splice(0, list.length - KEPT);
        },
      }),
    ),
  );
  return {
    of: (topic) => known.get(topic) ?? [],
    stop: async () => {
      await Promise.all(tails.map((tail) => tail.stop()));
    },
  };
}
