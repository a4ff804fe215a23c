/** What the roles get from the composition root. Roles know these types, not the client libraries behind them. */
import type { Logger } from 'pino';
import type { Clock } from './async/clock.ts';
import type { Config } from './config.ts';
import type { ErrorCode } from './errors.ts';
import type {
  Detection,
  LogOffset,
  OrgSetting,
  OutputRecord,
  RecordName,
  RecordTypes,
  SensorEvent,
  SensorPresence,
  SensorState,
  TaskCommand,
  TaskDispatch,
  TaskEvent,
} from './model/records.ts';
import type { Settings, SettingsTable } from './orgs/settings.ts';
import type { OrgTable } from './orgs/table.ts';
import type { Projection } from './projector/projection.ts';
import type { StatsStore } from './projector/stats.ts';
import type { TopicKey } from './topics.ts';

export type Decoded<T> = { record: InRecord; value: T } | { record: InRecord; refusal: Refusal };

/** `Topic`: roles name topics by key, the edge by their names on the broker. */
export type Batch<Topic = TopicKey> = {
  topic: Topic;
  partition: number;
  /** In order, without records before the wanted offset. */
  records: InRecord[];
  /** The offset after this batch. */
  nextOffset: number;
  /** False once another member may hold the partition, or the process stops. Then stop the work, without an error. */
  alive(): boolean;
};

/** True: done. False: not done, and the partition is read again from the wanted offset. `until`: the same, but only once this
 *  promise has settled; other partitions continue meanwhile. */
export type Handled = boolean | { until: Promise<unknown> };

export type GroupOptions<Topic = TopicKey> = {
  groupId: string;
  topics: Topic[];
  /** The numbers of the partitions held from now on; called at every join, before any record comes. */
  onAssigned(partitions: number[]): void;
  /** The next offset that the role wants; may wait (for a takeover). null: the committed offset. */
  wanted(topic: Topic, partition: number): Promise<number | null>;
  /** A batch can be without records: up to its end the log holds only control records or aborted records. */
  onBatch(batch: Batch<Topic>): Promise<Handled>;
};

export type Group<Topic = TopicKey> = {
  joined(): boolean;
  /** Why no records come, as a sentence; null: they come. */
  fault(): string | null;
  commit(topic: Topic, partition: number, nextOffset: number): Promise<void>;
  /** Makes the next fetch start at this offset. */
  seek(topic: Topic, partition: number, offset: number): void;
  stop(): Promise<void>;
};

export type Inbox = {
  /** In order. Rejects only if the schema registry does not answer, so that the batch has to wait. */
  decode<N extends RecordName>(name: N, records: InRecord[]): Promise<Decoded<RecordTypes[N]>[]>;
  join(options: GroupOptions): Promise<Group>;
  /** All records that are on a topic now, from its beginning. */
  readAll(topic: TopicKey, onRecords: (records: InRecord[]) => void | Promise<void>): Promise<void>;
  /** First and next offset, by partition. */
  ends(topic: TopicKey): Promise<Map<number, { low: number; high: number }>>;
  /** First offset appended at or after the time (Unix ms), by partition; the end if no record is that new. */
  since(topic: TopicKey, atMs: number): Promise<Map<number, number>>;
  committed(groupId: string, topic: TopicKey): Promise<Map<number, number>>;
};

export type Orgs = {
  table: OrgTable;
  settings: SettingsTable;
  /** Reads the settings to their current end. Call it before a record is refused because of its org. */
  refresh(): Promise<void>;
};

export type RolePorts = {
  config: Config;
  log: Logger;
  clock: Clock;
  orgs: Orgs;
  settings: Settings;
  inbox: Inbox;
  outbox: Outbox;
  projection: Projection;
  stats: StatsStore;
  /** Avro bytes of a record as the projection keeps them, whatever the encoding on the topics. */
  recordCodec: {
    encode<N extends RecordName>(name: N, value: RecordTypes[N]): Buffer;
    decode<N extends RecordName>(name: N, bytes: Buffer): RecordTypes[N];
    /** A faster decoder of these fields alone. `inner`: the fields to decode of a field that is itself a record. */
    decoder<N extends RecordName, F extends keyof RecordTypes[N] & string>(
      name: N,
      fields: readonly F[],
      inner?: Readonly<Partial<Record<F, readonly string[]>>>,
    ): (bytes: Buffer) => Pick<RecordTypes[N], F>;
  };
  metrics: Metrics;
};

export type Metrics = {
  /** null: the partition is no longer held. */
  lag(topic: TopicKey, partition: number, records: number | null): void;
  /** Tasks that the joiner holds, of all orgs. */
  pendingTasks(count: number): void;
  expired(count: number): void;
  dispatched(count: number, redeliveries: number): void;
  acked(state: 'done' | 'failed', count: number): void;
  deadLettered(code: ErrorCode): void;
  tagsPassedOver(count: number): void;
  /** Delivery latency: milliseconds from the task or the connect, whichever is later, to the dispatch on the log. */
  dispatchLatency(ms: number): void;
  batchLatency(stage: string, ms: number): void;
};

/** A role that runs. */
export type Role = {
  /** Whether it has joined, holds its share and has caught up; `detail` for people. */
  ready(): { ready: boolean; detail: string };
  stop(): Promise<void>;
};

/** A record from a topic. Offsets fit a number. `timestampMs` is the append time on topics with append time. */
export type InRecord = {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  timestampMs: number;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
  /** Why it was not read. `value` then holds the bytes of the log there, or a part of them. */
  refusal?: Refusal;
};

/** Why a record is refused: a stable code, and a sentence for its author. */
export type Refusal = { code: ErrorCode; message: string };

/** A refused record, with the reason. */
export type DeadLetter = { record: InRecord; code: ErrorCode; message: string };

/** An event and the epoch of the projection that already has it. */
export type EpochEvent = { event: TaskEvent; epoch: string };

export type Outbox = {
  /** Does not retry: a failed dispatch has to be checked again first. */
  dispatches(dispatches: TaskDispatch[]): Promise<void>;
  taskEvents(events: EpochEvent[]): Promise<void>;
  /** `state` null: the tombstone of a sensor that was forgotten. */
  sensorStates(states: { oid: string; sid: string; partition: number; state: SensorState | null }[]): Promise<void>;
  deadLetters(deadLetters: DeadLetter[]): Promise<void>;
  /** Returns the position of each command. */
  commands(commands: TaskCommand[]): Promise<LogOffset[]>;
  /** The same for records about sensors, and for records in their name. */
  presence(records: SensorPresence[]): Promise<LogOffset[]>;
  sensorEvents(records: SensorEvent[]): Promise<LogOffset[]>;
  detections(detections: Detection[]): Promise<void>;
  outputs(outputs: OutputRecord[]): Promise<void>;
  settings(settings: OrgSetting[]): Promise<void>;
  /** One setting, or with null its tombstone. Does not retry: the claim on the setting must still hold. */
  setting(key: string, setting: OrgSetting | null): Promise<void>;
};
