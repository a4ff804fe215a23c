/** The effects of the actions of a batch, gathered so that each kind is written with one call. */
import type { Detection, OutputRecord, SensorEvent, SensorPresence, TaskCommand } from '../model/records.ts';

export type Effects = {
  detections: Detection[];
  outputs: OutputRecord[];
  presence: SensorPresence[];
  commands: TaskCommand[];
  sensorEvents: SensorEvent[];
  /** What went wrong, by org and rule (`hive/name`). */
  faults: { oid: string; rule: string; sentence: string }[];
};

export const noEffects = (): Effects => ({
  detections: [],
  outputs: [],
  presence: [],
  commands: [],
  sensorEvents: [],
  faults: [],
});

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A record for `sensor-presence` that changes one thing of a sensor. */
export const changeOf = (oid: string, sid: string, nowMs: number, change: Partial<SensorPresence>): SensorPresence => ({
  event: 'UPDATED',
  oid,
  sid,
  connection_id: '',
  occurred_at: nowMs,
  sensor: null,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
  ...change,
});
