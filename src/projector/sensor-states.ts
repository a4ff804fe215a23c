/** Reads records of `sensor-state`, for those who need sensors that Redis does not have. */
import { checkSensorState } from '../command/check-written.ts';
import { recordKeyOf } from '../consumer.ts';
import type { SensorState } from '../model/records.ts';
import type { Inbox, InRecord } from '../ports.ts';

/** In the order of the records. null: the sensor was forgotten. A record that is not valid is passed over, so that the record of the
 *  sensor before it counts. */
export async function readStates(
  { decode }: Pick<Inbox, 'decode'>,
  records: InRecord[],
): Promise<{ record: InRecord; state: SensorState | null }[]> {
  const written = records.filter(({ value }) => value !== null);
  const states = new Map<InRecord, SensorState | null>(records.map((record) => [record, null]));
  for (const item of await decode('SensorState', written)) {
    const { record } = item;
    if ('value' in item && checkSensorState(recordKeyOf(record), item.value) === null) states.set(record, item.value);
    else states.delete(record);
  }
  return [...states].map(([record, state]) => ({ record, state }));
}
