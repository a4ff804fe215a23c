/** Reads the detections of all orgs from the beginning of the topic, and follows it. */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { Detection } from '../../model/records.ts';
import type { Codec } from '../avro/codec.ts';
import { decodeAll } from './inbox.ts';
import { startTail } from './tail.ts';

export async function followDetections(options: {
  kafka: Kafka;
  topic: string;
  codec: Codec;
  log: Logger;
  onDetection(detection: Detection): void;
}): Promise<{ stop(): Promise<void> }> {
  const { kafka, topic, codec, log, onDetection } = options;
  return startTail({
    kafka,
    topic,
    from: 'beginning',
    log,
    onRecords: async (records) => {
      for (const item of await decodeAll(codec, 'Detection', records)) if ('value' in item) onDetection(item.value);
    },
  });
}
