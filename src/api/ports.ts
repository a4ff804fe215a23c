/** What the API needs of the rest of the process; the composition root gives it. */
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { TaskCommand, TaskEvent } from '../model/records.ts';
import type { OrgTable } from '../orgs/table.ts';
import type { Projection } from '../projection/store.ts';

export type CommandLog = {
  /** Produces with acks=all; answers where each command stands. Rejects with `unavailable` when Kafka can't take it. */
  append(commands: TaskCommand[]): Promise<{ partition: number; offset: number }[]>;
};

/** Task events of all orgs as they are written, from now on, to every listener. `id` is `partition:offset`. */
export type TaskEventFeed = {
  subscribe(oid: string, listener: (id: string, event: TaskEvent) => void): () => void;
};

export type ApiPorts = {
  config: Config;
  log: Logger;
  nowMs(): number;
  orgs: OrgTable;
  /** The settings topic has been read to its end, and follows. */
  projection: Projection;
  commands: CommandLog;
  events: TaskEventFeed;
  /** Number of partitions of `sensor-presence`. */
  presencePartitions(): number;
};
