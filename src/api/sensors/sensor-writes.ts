/**
 * Changes of a sensor by the API: platform tags, isolation, sending now, forgetting. Each is a record on `sensor-presence` without a
 * connection and without facts, written with acks=all. The owner of the sensor folds it like any other record.
 */
import type { SensorPresence } from '../../model/records.ts';
import type { ApiPorts } from '../ports.ts';
import type { Applied } from '../tasks/applied.ts';

type Sink = Pick<ApiPorts, 'presence' | 'config' | 'nowMs'> & { applied: Applied };
export type SensorChange = Partial<
  Pick<SensorPresence, 'event' | 'add_tags' | 'remove_tags' | 'set_should_isolate' | 'try_now'>
>;

/** True if the change is applied to the projection. False if that takes longer than API_APPLY_WAIT_MS: the change is on the log and will
 *  be applied. Rejects with `unavailable` if it may not be on the log. */
export async function writePresence(sink: Sink, oid: string, sid: string, change: SensorChange): Promise<boolean> {
  const record: SensorPresence = {
    event: 'UPDATED',
    oid,
    sid,
    connection_id: '',
    occurred_at: sink.nowMs(),
    sensor: null,
    add_tags: [],
    remove_tags: [],
    set_should_isolate: null,
    try_now: false,
    ...change,
  };
  const logOffsets = await sink.presence.append([record]);
  return (await sink.applied.applied(oid, logOffsets, sink.config.API_APPLY_WAIT_MS, 'presence')) !== null;
}
