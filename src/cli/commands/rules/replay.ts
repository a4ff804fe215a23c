/** Reads recent sensor events of an org from Kafka, to test a rule on them. */
import { isNestedTooDeep } from '../../../command/depth.ts';
import type { Io } from '../../io.ts';
import { kafkaConfig, logTo, openKafka } from '../../kafka/kafka.ts';

export type Replayed = { routing: unknown; event: unknown };

/** Calls back with each event since `sinceMs` (Unix ms). It adds no facts and tags of the sensor to the event. */
export async function replayEvents(
  oid: string,
  sinceMs: number,
  io: Io,
  onEvent: (event: Replayed) => void,
): Promise<void> {
  const config = kafkaConfig(io);
  const log = logTo('silent');
  const [{ createOffsets }, { startTail }, { createCodec }, { decodeAll }, { topicNames }, seen, { parseObject }] =
    await Promise.all([
      import('../../../edges/kafka/admin.ts'),
      import('../../../edges/kafka/tail.ts'),
      import('../../../edges/avro/codec.ts'),
      import('../../../edges/kafka/inbox.ts'),
      import('../../../topics.ts'),
      import('../../../responder/rule-event.ts'),
      import('../../../orgs/table.ts'),
    ]);
  const topic = topicNames(config.KAFKA_TOPIC_PREFIX).sensorEvents;
  const kafka = await openKafka(config, log);
  const codec = createCodec({
    schemaRegistryUrl: config.SCHEMA_REGISTRY_URL,
    topicOf: { SensorEvent: topic } as never,
  });
  await codec.start();
  const offsets = await createOffsets(kafka);
  try {
    const tail = await startTail({
      kafka,
      topic,
      log,
      from: await offsets.since(topic, sinceMs),
      onRecords: async (records) => {
        for (const item of await decodeAll(codec, 'SensorEvent', records)) {
          if ('refusal' in item || item.value.oid !== oid) continue;
          // Rules do not get this event either.
          if (isNestedTooDeep(item.value.routing) || isNestedTooDeep(item.value.event)) continue;
          const [routing, event] = [parseObject(item.value.routing), parseObject(item.value.event)];
          if (routing === null || event === null) continue;
          const { view } = seen.fromSensorEvent(item.value, { routing, event }, null, undefined, io.nowMs());
          onEvent({ routing: view.routing, event: view.event });
        }
      },
    });
    await tail.caughtUp().finally(() => tail.stop());
  } finally {
    await Promise.all([offsets.stop(), codec.stop()]);
  }
}
