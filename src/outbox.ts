/** What the roles write, as they see it; the edge encodes and produces. Each resolves when the broker has all of it. */
import type { ErrorCode } from './errors.ts';
import type {
  Detection,
  OrgSetting,
  OutputRecord,
  SensorEvent,
  SensorPresence,
  SensorState,
  TaskCommand,
  TaskDispatch,
  TaskEvent,
} from './model/records.ts';

/** A record as it came from a topic. Offsets fit a number; `timestampMs` is the append time where the topic says so. */
export type InRecord = {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  timestampMs: number;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
  /** Why it was not read: `value` then holds what the log holds there, or a part of it. */
  refusal?: Refusal;
};

/** Why a record is not acted on: a stable code, and a sentence for who wrote it. */
export type Refusal = { code: ErrorCode; message: string };

/** A record that cannot be acted on, with why. */
export type DeadLetter = { record: InRecord; code: ErrorCode; message: string };

/** An event and the epoch of the projection that already has it. */
export type EpochEvent = { event: TaskEvent; epoch: string };

export type Outbox = {
  /** Never retried by itself: a failed dispatch has to be checked again first. */
  dispatches(dispatches: TaskDispatch[]): Promise<void>;
  taskEvents(events: EpochEvent[]): Promise<void>;
  /** `state` null: the tombstone of a sensor that was forgotten. */
  sensorStates(states: { oid: string; sid: string; partition: number; state: SensorState | null }[]): Promise<void>;
  deadLetters(letters: DeadLetter[]): Promise<void>;
  /** Answers where each command stands. */
  commands(commands: TaskCommand[]): Promise<{ partition: number; offset: number }[]>;
  /** The same for what is written of sensors, and in their name. */
  presence(records: SensorPresence[]): Promise<{ partition: number; offset: number }[]>;
  sensorEvents(records: SensorEvent[]): Promise<{ partition: number; offset: number }[]>;
  detections(detections: Detection[]): Promise<void>;
  outputs(outputs: OutputRecord[]): Promise<void>;
  settings(settings: OrgSetting[]): Promise<void>;
  /** One setting, or with null its tombstone; never retried by itself: the claim on its name must still hold. */
  setting(key: string, setting: OrgSetting | null): Promise<void>;
};
