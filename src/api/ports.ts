/** What the API uses of the rest of the process. The composition root provides it. */
import type { JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../async/clock.ts';
import type { Config } from '../config.ts';
import type { LogOffset, SensorEvent, SensorPresence, SensorState, TaskCommand, TaskEvent } from '../model/records.ts';
import type { KeyUse } from '../orgs/key-use.ts';
import type { Settings } from '../orgs/settings.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { Projection } from '../projector/projection.ts';
import type { StatsStore } from '../projector/stats.ts';
import type { OutputMemory } from '../responder/outputs/memory.ts';
import type { ResponseStore } from '../responder/responses/responses.ts';
import type { RuleMemory } from '../rules/memory.ts';
import type { FieldsRead, PartialState } from '../selector/sensor/fields-read.ts';
import type { RecentDetections } from './events/recent-detections.ts';

export type CommandLog = {
  /** Produces with acks=all; returns the log offset of each command. Rejects with `unavailable` if Kafka does not accept them. */
  append(commands: TaskCommand[]): Promise<{ partition: number; offset: number }[]>;
};

/** Like CommandLog, for changes and events of sensors. */
export type PresenceLog = { append(records: SensorPresence[]): Promise<{ partition: number; offset: number }[]> };
export type SensorEventLog = { append(records: SensorEvent[]): Promise<{ partition: number; offset: number }[]> };

export type Positions = ReadonlyMap<number, number>;

/** Task events of all orgs. */
export type TaskEventFeed = {
  /** A listener that subscribes now gets the records from these positions on. */
  positions(): Positions;
  /** Events of an org as they are written, from now on. Returns the function that ends it. */
  subscribe(oid: string, listener: (logOffset: LogOffset, event: TaskEvent) => void): () => void;
  /** Events of an org from `from` up to, not including, `to`, in the order of each partition. The next event waits until the listener
   *  has finished. Resolves after the last event, or when `given` is aborted. */
  replay(
    oid: string,
    from: Positions,
    to: Positions,
    listener: (logOffset: LogOffset, event: TaskEvent) => void | Promise<void>,
    given: AbortSignal,
  ): Promise<void>;
};

export type ApiPorts = {
  config: Config;
  log: Logger;
  nowMs(): number;
  /** For deadlines and waits. */
  clock: Clock;
  /** The settings topic has been read to its end, and follows. */
  orgs: OrgTable;
  /** Finds the public key of an issuer's token; null: no issuer is trusted. */
  issuer: JWTVerifyGetKey | null;
  settings: Settings;
  /** The folder of the built console; it may not exist. */
  consoleFolder: string;
  keyUse: KeyUse;
  projection: Projection;
  /** The last fault of each rule that failed when it ran, by `hive/name`. */
  ruleFaults: RuleMemory['faults'];
  outputMemory: Pick<OutputMemory, 'failures' | 'forget'>;
  detections: RecentDetections;
  stats: Pick<StatsStore, 'read'>;
  responses: Pick<ResponseStore, 'read'>;
  /** Events of sensors by their log offsets on `sensor-events`, in the same order; null: the topic no longer has it. */
  sensorEventsAt(logOffsets: readonly LogOffset[]): Promise<(SensorEvent | null)[]>;
  commands: CommandLog;
  presence: PresenceLog;
  sensorEvents: SensorEventLog;
  events: TaskEventFeed;
  /** Number of partitions of `sensor-presence`. */
  presencePartitions(): number;
  /** The partition of `sensor-presence` that the records of this sensor go to (murmur2 of the key). */
  presencePartitionOf(sid: string): number;
  /** Reads the facts of a sensor as the projection holds them. */
  decodeState(bytes: Buffer): SensorState;
  /** Reads only these fields of it, which is several times faster. */
  stateReader(plan: Pick<FieldsRead, 'state' | 'facts'>): (bytes: Buffer) => PartialState;
};
