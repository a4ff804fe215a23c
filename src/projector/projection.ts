/**
 * What Redis can be asked about tasks and sensors, and what is written to it. Each write is one script on one org. A method takes
 * requests of many orgs and sends one pipeline. A script returns a word, never an error: `Refusal` says why nothing was done.
 *
 * lost       the org has no marker: Redis was emptied, or the org is new
 * epoch      the caller used an earlier epoch; the answer has the current one
 * not_ready  the projection is being rebuilt, or another Redis process was attested
 * fenced     another process has taken over the partition
 * away       Redis did not answer for this org: it is not known whether the script ran
 */
import type { StoredState } from '../model/states.ts';
import type { Delivery, TaskRecord } from '../model/task.ts';

export type Refusal =
  | { ok: false; why: 'lost' | 'not_ready' | 'fenced' | 'away' }
  | { ok: false; why: 'epoch'; epoch: string };
/** Why nothing was done. */
export type Why = Refusal['why'];
export type Answer<T> = ({ ok: true } & T) | Refusal;

// ---- projector

/** A change to apply, at its offset. `appendedAtMs` is the append time of the record. */
export type ApplyCommand =
  | {
      op: 'task';
      offset: number;
      taskId: string;
      appendedAtMs: number;
      expiresAtMs: number;
      contentHash: string;
      /** No receipt can follow: the task is done with its first attempt, whatever the sensor sends. */
      doneWhenSent: boolean;
      bytes: Buffer;
    }
  | { op: 'untask'; offset: number; taskId: string; appendedAtMs: number };

/** added: now pending · past: ended for longer than the retention · same: an equal task exists · conflict: another task has the id,
 *  or the task was removed · removed: the UNTASK ended it · nothing: there was no task to end. A repeat gets the same answer. */
export type ApplyOutcome = 'added' | 'past' | 'same' | 'conflict' | 'removed' | 'nothing';

/** `expiriesMs`: the expiry of the task of each command; null if it is not known. */
export type ApplyAnswer = Answer<{ outcomes: ApplyOutcome[]; expiriesMs: (number | null)[] }>;

export type ApplyRequest = {
  oid: string;
  epoch: string;
  partition: number;
  nextOffset: number;
  commands: ApplyCommand[];
};

/** A change of a delivery or task from `task-events`, for a projection that does not have it. */
export type AckedEvent = {
  type: StoredState | 'expired';
  taskId: string;
  sid: string;
  attempt: number;
  atMs: number;
  expiresAtMs: number;
  /** sent: the connection hash; failed: the error code; removed: the reason. */
  extra: string;
};
export type AckedRequest = { oid: string; epoch: string; partition: number; nextOffset: number; events: AckedEvent[] };

export type NarrowRequest = {
  oid: string;
  epoch: string;
  partition: number;
  offset: number;
  taskId: string;
  sids: string[];
  atMs: number;
};

export type AttestRequest = {
  oid: string;
  epoch: string;
  kind: 'c' | 't';
  partition: number;
  nextOffset: number;
  total: number;
};

export type AdvanceRequest = Omit<AttestRequest, 'total'>;

/** What the marker of an org says. `usable`: attested for the Redis process that answers. */
export type OrgStatus = {
  epoch: string;
  usable: boolean;
  version: number;
  /** Unix ms of the last begin, and of the answer, by the clock of Redis. */
  begunAtMs: number;
  nowMs: number;
  /** Next offset to apply, by partition; absent: nothing was applied. */
  commandOffsets: Map<number, number>;
  eventOffsets: Map<number, number>;
  /** Next presence offset whose sensors Redis has; absent: it has none of the partition. */
  presenceOffsets: Map<number, number>;
  /** Partitions whose owner has caught up with presence in this epoch. Of other partitions, Redis can have no sensors after a loss,
   *  or those of an older state. */
  livePartitions: Set<number>;
};

// ---- joiner

export type ClaimTask = { taskId: string; deliveries: { sid: string; connectionHash: string }[] };
export type ClaimRequest = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  batch: string;
  tasks: ClaimTask[];
};
/** claimed: the caller may send this attempt; `again`: an earlier claim of it was never confirmed, so it may be on the log · wait: the
 *  receipt of an attempt is awaited until `untilMs` · settled: done, failed or removed · gone: the task is not pending any more. */
export type ClaimWord =
  | { word: 'claimed'; attempt: number; again?: boolean }
  | { word: 'wait'; untilMs: number }
  | { word: 'settled' }
  | { word: 'gone' };
export type ClaimAnswer = Answer<{ version: number; nowMs: number; words: ClaimWord[][] }>;

export type RecheckRequest = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  batch: string;
  tasks: { taskId: string; sids: string[] }[];
};
export type ConfirmRequest = {
  oid: string;
  epoch: string;
  batch: string;
  /** dropped: certainly not sent, so the attempt is taken back · kept: `maybeSent`, so the attempt stays · both are due at the next
   *  match · done: sent, and no receipt follows. */
  tasks: { taskId: string; dropped: string[]; kept: string[]; done: string[] }[];
};

export type AckRequest = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  acks: { taskId: string; sid: string; state: 'done' | 'failed'; code: string }[];
};
/** first: this receipt settled the delivery · repeat: it was settled before, and the answer is what counts · gone: no such task. */
export type AckWord =
  | {
      word: 'first' | 'repeat';
      state: 'done' | 'failed';
      attempt: number;
      atMs: number;
      expiresAtMs: number;
      code: string;
    }
  | { word: 'gone' };
export type InFlight = { batch: string; untilMs: number };

export type SensorRows = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  /** Next presence offset of this partition. It never decreases. */
  nextOffset: number;
  /** Deletes what Redis has of the partition first: it can be older, with sensors that were forgotten since. */
  replace: boolean;
  /** The owner has caught up with presence, and these rows complete what Redis has. */
  live: boolean;
  facts: { sid: string; bytes: Buffer }[];
  presence: { sid: string; row: PresenceRow }[];
  forgotten: string[];
};
export type PresenceRow = {
  online: boolean;
  /** The open connection, or the last one. */
  connectionId: string | null;
  aliveAtMs: number;
  /** When it came online, or went offline. Unix ms. */
  sinceMs: number;
  /** The last connections that were closed, or replaced while they were open (model/sensor.ts). */
  closed: readonly string[];
  replaced: readonly string[];
  /** The sensor has sent DELIVERED at least once: without one, an attempt does not count as delivered. */
  confirms: boolean;
  /** The offset after the last folded record. A row can be ahead of the stored offset. */
  nextOffset: number;
};
export type StoredFacts = { sid: string; facts: Buffer };
export type StoredSensor = { sid: string; facts: Buffer | null; presence: PresenceRow | null };

export type TaskChange = { kind: 'added'; taskId: string } | { kind: 'removed'; taskId: string };

export interface Projection {
  // projector
  /** Begins a new epoch for orgs without a valid marker, and returns the status of each org; null: its shard did not answer. Rejects
   *  if no shard answers. */
  begin(oids: string[]): Promise<(OrgStatus | null)[]>;
  /** Declares partitions complete for this epoch. An org is usable when all `total` partitions are. */
  attest(requests: AttestRequest[]): Promise<Answer<object>[]>;
  apply(requests: ApplyRequest[]): Promise<ApplyAnswer[]>;
  applyEvents(requests: AckedRequest[]): Promise<Answer<object>[]>;
  /** Withdraws deliveries of one task. Returns the sids that this offset withdrew, also when it is repeated. It does not move the
   *  stored offset: `advance` does that when the events are on the log. */
  narrow(request: NarrowRequest): Promise<Answer<{ sids: string[] }>>;
  /** Moves the next offset of a partition past records of other orgs. Rejects if no shard answers. */
  advance(requests: AdvanceRequest[]): Promise<Answer<object>[]>;
  /** Ends expired tasks of the orgs that answer. Returns the tasks whose TASK_EXPIRED the caller has to write. */
  due(
    oids: { oid: string; epoch: string }[],
    limit: number,
  ): Promise<{ oid: string; taskId: string; expiresAtMs: number }[]>;
  announced(expired: { oid: string; taskId: string }[]): Promise<void>;

  // joiner
  /** null: the org has no marker, or its shard did not answer. Rejects if no shard answers. */
  status(oids: string[]): Promise<(OrgStatus | null)[]>;
  takeover(
    oid: string,
    epoch: string,
    partition: number,
  ): Promise<Answer<{ fencingToken: string; nextOffset: number | null; inFlight: InFlight[]; nowMs: number }>>;
  writeSensors(requests: SensorRows[]): Promise<Answer<object>[]>;
  /** Presence rows first, then claims, in one pipeline. */
  claim(rows: SensorRows[], requests: ClaimRequest[]): Promise<{ rows: Answer<object>[]; claims: ClaimAnswer[] }>;
  recheck(request: RecheckRequest): Promise<Answer<{ nowMs: number; kept: boolean[][] }>>;
  /** Ends claim batches. A repeat, or an unknown claim batch, changes nothing. */
  confirm(requests: ConfirmRequest[]): Promise<Answer<object>[]>;
  ack(requests: AckRequest[]): Promise<Answer<{ words: AckWord[]; waitFor: InFlight[]; nowMs: number }>[]>;
  /** The claim batches that are still in flight. A refusal says nothing about them. */
  inFlight(oid: string, epoch: string): Promise<Answer<{ nowMs: number; entries: InFlight[] }>>;
  changes(
    oid: string,
    epoch: string,
    version: number,
  ): Promise<Answer<{ version: number; changes: TaskChange[] | 'reload' }>>;
  /** Counts of one partition for the answer to `task`. */
  writeCounts(
    counts: { oid: string; taskId: string; partition: number; matched: number; online: number }[],
  ): Promise<void>;

  // reads (api, joiner, projector)
  pendingIds(oid: string, limit: number, afterMember: string | null): Promise<{ ids: string[]; next: string | null }>;
  endedIds(oid: string, limit: number, afterMember: string | null): Promise<{ ids: string[]; next: string | null }>;
  readTasks(oid: string, taskIds: string[]): Promise<(TaskRecord | null)[]>;
  readDeliveries(oid: string, taskId: string): Promise<Map<string, Delivery>>;
  /** The size of each task: its deliveries, and a few more fields; 0 for an unknown task. */
  countDeliveries(oid: string, taskIds: readonly string[]): Promise<number[]>;
  readCounts(oid: string, taskId: string): Promise<{ partitions: number; matched: number; online: number }>;
  /** A page of the sensors of one partition; `next` null: the last page. A sensor can come twice (HSCAN). */
  scanSensors(
    oid: string,
    partition: number,
    cursor: string | null,
  ): Promise<{ sensors: StoredSensor[]; next: string | null }>;
  /** The same without presence, which costs less than half. */
  scanFacts(
    oid: string,
    partition: number,
    cursor: string | null,
  ): Promise<{ sensors: StoredFacts[]; next: string | null }>;
  /** The presence of some sensors of a partition, in their order; null: never connected. */
  readPresence(oid: string, partition: number, sids: readonly string[]): Promise<(PresenceRow | null)[]>;
  /** Some sensors of a partition, in their order; null: not known. */
  readSensors(oid: string, partition: number, sids: readonly string[]): Promise<(StoredSensor | null)[]>;
  /** One delivery of a task; null: nothing is stored of it. */
  readDelivery(oid: string, taskId: string, sid: string): Promise<Delivery | null>;
  /** Wakes the joiners that follow the tasks of the org. If a hint is lost, they find the change with their next poll. */
  hint(oids: string[]): void;
  onHint(listener: (oid: string) => void): () => void;
  ping(): Promise<void>;
  stop(): Promise<void>;
}
