/**
 * What the projection can be asked and told. Each write is one script on one org; a method takes many orgs and makes one
 * round trip. A script answers a word, never an error: `Refusal` says why nothing was done.
 *
 * lost       the org has no marker: Redis was emptied, or the org is new
 * epoch      the caller remembers things of an earlier epoch; the current one is given
 * not_ready  the projection is being rebuilt, or this is another Redis process than the attested one
 * fenced     another process has taken over the partition
 * away       the store did not answer for this org: whether it was done is not known
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
      /** Nobody answers it: whatever a sensor says of it, the one verdict is TASK_DONE of attempt 1. */
      doneWhenSent: boolean;
      bytes: Buffer;
    }
  | { op: 'untask'; offset: number; taskId: string; appendedAtMs: number };

/** added: now pending · past: over for longer than the retention · same: an equal task is there · conflict: another one is,
 *  or it was removed · removed: the UNTASK ended it · nothing: there was nothing to end. A repeat answers as the first time. */
export type ApplyOutcome = 'added' | 'past' | 'same' | 'conflict' | 'removed' | 'nothing';

/** `expiriesMs`: the expiry of the task that each command is about; null where that is not known. */
export type ApplyAnswer = Answer<{ outcomes: ApplyOutcome[]; expiriesMs: (number | null)[] }>;

export type ApplyRequest = {
  oid: string;
  epoch: string;
  partition: number;
  nextOffset: number;
  commands: ApplyCommand[];
};

/** A pair or task change read from `task-events`, for a projection that does not have it. */
export type AckedEvent = {
  type: StoredState | 'expired';
  taskId: string;
  sid: string;
  attempt: number;
  atMs: number;
  expiresAtMs: number;
  /** sent: the tag of its connection; failed: the error code; removed: the reason. */
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
  /** Partitions whose owner has caught up with presence in this epoch: what Redis has of their sensors is what is known. After
   *  a loss it may be nothing, or what an older state of Redis had. */
  livePartitions: Set<number>;
};

// ---- joiner

/** `tag` as `claimTag` makes it (model/task.ts). */
export type ClaimTask = { taskId: string; deliveries: { sid: string; connectionHash: string }[] };
export type ClaimRequest = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  batch: string;
  tasks: ClaimTask[];
};
/** claimed: this attempt is ours; `again`: an earlier claim of it was never confirmed, so it may be on the log · wait: an attempt is outstanding until `untilMs` · settled: done, failed or removed ·
 *  gone: the task is not pending any more. */
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
  /** dropped: never sent, goes back by one attempt · kept: perhaps sent, stays as it is · both are due at the next match ·
   *  done: sent, and nobody answers it. */
  tasks: { taskId: string; dropped: string[]; kept: string[]; done: string[] }[];
};

export type AckRequest = {
  oid: string;
  epoch: string;
  partition: number;
  fencingToken: string;
  acks: { taskId: string; sid: string; state: 'done' | 'failed'; code: string }[];
};
/** first: this receipt settled the pair · repeat: it was settled before, `pair` is what counts · gone: no such task. */
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
  /** Next presence offset of this partition; never lowered. */
  nextOffset: number;
  /** All that Redis has of the partition goes first: it may be of an older time, with sensors that were forgotten since. */
  replace: boolean;
  /** The owner has caught up with presence, and with these rows Redis has all that it knows. */
  live: boolean;
  facts: { sid: string; bytes: Buffer }[];
  presence: { sid: string; row: PresenceRow }[];
  forgotten: string[];
};
export type PresenceRow = {
  online: boolean;
  /** The connection that is open, or was the last to be closed. */
  connectionId: string | null;
  aliveAtMs: number;
  /** Since when it is online, or offline. Unix ms. */
  sinceMs: number;
  /** The last connections that were disconnected, or replaced while open (model/sensor.ts). */
  closed: readonly string[];
  replaced: readonly string[];
  /** The sensor has confirmed a delivery at least once, so that sending alone is not shown as delivery. */
  confirms: boolean;
  /** After the last record that is folded in: a row may be ahead of the stored offset. */
  nextOffset: number;
};
export type StoredFacts = { sid: string; facts: Buffer };
export type StoredSensor = { sid: string; facts: Buffer | null; presence: PresenceRow | null };

export type TaskChange = { kind: 'added'; taskId: string } | { kind: 'removed'; taskId: string };

export interface Projection {
  // projector
  /** Marks orgs without a valid marker as begun (a new epoch), and answers the status of each; null: its shard alone did not
   *  answer. Rejects when none did. */
  begin(oids: string[]): Promise<(OrgStatus | null)[]>;
  /** Partitions are complete for this epoch; once all `total` of an org are, it becomes usable. */
  attest(requests: AttestRequest[]): Promise<Answer<object>[]>;
  apply(requests: ApplyRequest[]): Promise<ApplyAnswer[]>;
  applyEvents(requests: AckedRequest[]): Promise<Answer<object>[]>;
  /** Withdraws pairs of one task; answers the sids that this offset withdrew, also when asked again. The offset stays: it moves,
   *  by `advance`, when the log has what was withdrawn. */
  narrow(request: NarrowRequest): Promise<Answer<{ sids: string[] }>>;
  /** Raises the next offset of a partition where no record of the org stood. Rejects when no org's shard answers. */
  advance(requests: AdvanceRequest[]): Promise<Answer<object>[]>;
  /** Ends what has run out, of the orgs that answer; answers the tasks whose TASK_EXPIRED is to be announced by the caller. */
  due(
    oids: { oid: string; epoch: string }[],
    limit: number,
  ): Promise<{ oid: string; taskId: string; expiresAtMs: number }[]>;
  announced(expired: { oid: string; taskId: string }[]): Promise<void>;

  // joiner
  /** null: the org has no marker, or its shard alone did not answer. Rejects when none did. */
  status(oids: string[]): Promise<(OrgStatus | null)[]>;
  takeover(
    oid: string,
    epoch: string,
    partition: number,
  ): Promise<Answer<{ fencingToken: string; nextOffset: number | null; inFlight: InFlight[]; nowMs: number }>>;
  writeSensors(requests: SensorRows[]): Promise<Answer<object>[]>;
  /** Presence rows first, then claims, in one trip. */
  claim(rows: SensorRows[], requests: ClaimRequest[]): Promise<{ rows: Answer<object>[]; claims: ClaimAnswer[] }>;
  recheck(request: RecheckRequest): Promise<Answer<{ nowMs: number; kept: boolean[][] }>>;
  /** Batches are over. Said again, or for a batch that is not known, it changes nothing. */
  confirm(requests: ConfirmRequest[]): Promise<Answer<object>[]>;
  ack(requests: AckRequest[]): Promise<Answer<{ words: AckWord[]; waitFor: InFlight[]; nowMs: number }>[]>;
  /** Which of the batches are still in flight. A refusal says nothing about them. */
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
  /** How much is stored of each task: its pairs, and a few fields more; 0 for one that is not there. */
  countDeliveries(oid: string, taskIds: readonly string[]): Promise<number[]>;
  readCounts(oid: string, taskId: string): Promise<{ partitions: number; matched: number; online: number }>;
  /** Pages through one partition's sensors; `next` null at the end. A sensor may come twice (HSCAN). */
  scanSensors(
    oid: string,
    partition: number,
    cursor: string | null,
  ): Promise<{ sensors: StoredSensor[]; next: string | null }>;
  /** The same without presence, which is the smaller half of the work. */
  scanFacts(
    oid: string,
    partition: number,
    cursor: string | null,
  ): Promise<{ sensors: StoredFacts[]; next: string | null }>;
  /** Presence of some sensors of a partition, in their order; null: never connected. */
  readPresence(oid: string, partition: number, sids: readonly string[]): Promise<(PresenceRow | null)[]>;
  /** Some sensors of a partition, in their order; null: not known. */
  readSensors(oid: string, partition: number, sids: readonly string[]): Promise<(StoredSensor | null)[]>;
  /** One pair of a task, or null where nothing is stored of it. */
  readDelivery(oid: string, taskId: string, sid: string): Promise<Delivery | null>;
  /** Wakes whoever follows the org's tasks. A lost hint costs a poll, nothing else: nobody waits for it, or hears that it failed. */
  hint(oids: string[]): void;
  onHint(listener: (oid: string) => void): () => void;
  ping(): Promise<void>;
  stop(): Promise<void>;
}
