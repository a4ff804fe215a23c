/** Reads offsets and whole topics over a connection. */
import type { Offsets } from '../../../src/edges/kafka/admin.ts';
import type { InRecord } from '../../../src/ports.ts';
import type { Broker, LogRecord } from './broker.ts';
import type { Wire } from './wire.ts';

export function simOffsets(broker: Broker, wire: Wire): Offsets {
  return {
    ends: (topic) =>
      wire.call(() => new Map(broker.log(topic).map((log, partition) => [partition, { low: 0, high: log.length }]))),
    since: (topic, atMs) =>
      wire.call(() => {
        const first = (log: LogRecord[]) => log.findIndex(({ timestampMs }) => timestampMs >= atMs);
        return new Map(
          broker.log(topic).map((log, partition) => [partition, first(log) === -1 ? log.length : first(log)]),
        );
      }),
    committed: (groupId, topic) =>
      wire.call(() => {
        const found = new Map<number, number>();
        for (const partition of broker.log(topic).keys()) {
          const offset = broker.committed.get(`${groupId} ${topic} ${partition}`);
          if (offset !== undefined) found.set(partition, offset);
        }
        return found;
      }),
    stop: async () => undefined,
  };
}

/** Everything on a topic at the time of the request, partition by partition. */
export async function simReadAll(
  broker: Broker,
  wire: Wire,
  topic: string,
  onRecords: (records: InRecord[]) => void | Promise<void>,
): Promise<void> {
  const logs = await wire.call(() => broker.log(topic).map((log) => [...log]));
  for (const [partition, log] of logs.entries()) {
    await wire.call(() => undefined);
    if (log.length > 0) await onRecords(log.map((record) => inRecord(topic, partition, record)));
  }
}

export const inRecord = (topic: string, partition: number, record: LogRecord): InRecord => ({
  topic,
  partition,
  ...record,
});
