/** What the API needs of the rest of the process; the composition root gives it. */
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
  /** Produces with acks=all; answers where each command stands. Rejects with `unavailable` when Kafka can't take it. */
  append(commands: TaskCommand[]): Promise<{ partition: number; offset: number }[]>;
};

/** Where the API writes what it changes or says of sensors; as CommandLog. */
export type PresenceLog = { append(records: SensorPresence[]): Promise<{ partition: number; offset: number }[]> };
export type SensorEventLog = { append(records: SensorEvent[]): Promise<{ partition: number; offset: number }[]> };

export type Positions = ReadonlyMap<number, number>;

/** Task events of all orgs. */
export type TaskEventFeed = {
  /** What stands before these was given to whoever listened then; what stands there or later is given to who listens now. */
  positions(): Positions;
  /** Those of an org as they are written, from now on. Answers how to end it. */
  subscribe(oid: string, listener: (logOffset: LogOffset, event: TaskEvent) => void): () => void;
  /** Those of an org that were written from `from` to below `to`, each when the one before was taken; in the order of each
   *  partition. Resolves when all were given, or `given` is aborted. */
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
  /** Finds the public key of an issuer's token; null where no issuer is trusted. */
  issuer: JWTVerifyGetKey | null;
  settings: Settings;
  /** Where the built console is, if it is. */
  consoleFolder: string;
  keyUse: KeyUse;
  projection: Projection;
  /** The last fault of each rule that failed when it ran, by `hive/name`. */
  ruleFaults: RuleMemory['faults'];
  outputMemory: Pick<OutputMemory, 'failures' | 'forget'>;
  detections: RecentDetections;
  stats: Pick<StatsStore, 'read'>;
  responses: Pick<ResponseStore, 'read'>;
  /** Events of sensors by their places on `sensor-events`, in their order; null: the topic does not hold it any more. */
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
