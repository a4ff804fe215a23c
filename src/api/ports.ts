/** What the API needs of the rest of the process; the composition root gives it. */
import type { JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { SensorEvent, SensorPresence, SensorState, TaskCommand, TaskEvent } from '../model/records.ts';
import type { Settings } from '../orgs/settings.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { StatsStore } from '../projection/stats.ts';
import type { Projection } from '../projection/store.ts';
import type { PartPlan, PartState } from '../selector/index.ts';

export type CommandLog = {
  /** Produces with acks=all; answers where each command stands. Rejects with `unavailable` when Kafka can't take it. */
  append(commands: TaskCommand[]): Promise<{ partition: number; offset: number }[]>;
};

/** Where the API writes what it changes or says of sensors; as CommandLog. */
export type PresenceLog = { append(records: SensorPresence[]): Promise<{ partition: number; offset: number }[]> };
export type SensorEventLog = { append(records: SensorEvent[]): Promise<{ partition: number; offset: number }[]> };

/** Task events of all orgs as they are written, from now on, to every listener. `id` is `partition:offset`. */
export type TaskEventFeed = {
  subscribe(oid: string, listener: (id: string, event: TaskEvent) => void): () => void;
};

export type ApiPorts = {
  config: Config;
  log: Logger;
  nowMs(): number;
  /** The settings topic has been read to its end, and follows. */
  orgs: OrgTable;
  /** Finds the public key of an issuer's token; null where no issuer is trusted. */
  issuer: JWTVerifyGetKey | null;
  settings: Settings;
  /** Where the built console is, if it is. */
  consoleFolder: string;
  projection: Projection;
  stats: Pick<StatsStore, 'read'>;
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
  stateReader(plan: Pick<PartPlan, 'state' | 'facts'>): (bytes: Buffer) => PartState;
};
