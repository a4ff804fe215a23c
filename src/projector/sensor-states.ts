/** Records of `sensor-state` as everybody reads them who needs sensors that Redis does not have. */
import { checkSensorState } from '../command/check-written.ts';
import type { SensorState } from '../model/records.ts';
import type { Inbox, InRecord } from '../ports.ts';

/** In order; null: the sensor was forgotten. What is no state of the sensor that its key names is passed over, so that the
 *  one before it counts. */
export async function readStates(
  { decode }: Pick<Inbox, 'decode'>,
  records: InRecord[],
): Promise<{ record: InRecord; state: SensorState | null }[]> {
  const held = records.filter(({ value }) => value !== null);
  const states = new Map<InRecord, SensorState | null>(records.map((record) => [record, null]));
  for (const item of await decode('SensorState', held)) {
    const { record } = item;
    if ('value' in item && checkSensorState(record.key?.toString() ?? null, item.value) === null)
      states.set(record, item.value);
    else states.delete(record);
  }
  return [...states].map(([record, state]) => ({ record, state }));
}
