/** Sensors that a test plays: their presence, as the gateway writes it. */
import { createCodec } from '../../../src/edges/avro/codec.ts';
import type { Producer } from '../../../src/edges/kafka/producer.ts';
import { RECORD_NAMES, type RecordName, type SensorPresence } from '../../../src/model/records.ts';
import { FACTS } from '../../api/support/memory.ts';

const codec = createCodec({
  topicOf: Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>,
});

/** Sensors of one platform connect, or (UPDATED) are known and offline. */
export async function sayPresence(
  producer: Producer,
  topic: string,
  { oid, sids, plat, event }: { oid: string; sids: string[]; plat: number; event: 'CONNECTED' | 'UPDATED' },
): Promise<void> {
  const recordOf = (sid: string): SensorPresence => ({
    event,
    oid,
    sid,
    connection_id: event === 'UPDATED' ? '' : `connection-of-${sid}`,
    occurred_at: Date.now(),
    sensor: { ...FACTS, hostname: `host-${sid}`, plat },
    add_tags: [],
    remove_tags: [],
    set_should_isolate: null,
    try_now: false,
  });
  await producer.send(
    topic,
    sids.map((sid) => ({ key: sid, value: codec.encode('SensorPresence', recordOf(sid)) })),
  );
}
