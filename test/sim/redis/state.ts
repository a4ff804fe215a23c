/**
 * What Redis holds for the projection, in memory and synchronous: the keys of docs/ARCHITECTURE.md as maps, a run id of the
 * process, a clock, and keys that expire. It can be emptied, restarted, and set back to an older state.
 */
import type { StoredState, TaskState } from '../../../src/model/states.ts';
import { DONE_WHEN_SENT_MARK } from '../../../src/model/task.ts';
import type { Refusal } from '../../../src/projector/projection.ts';

export type DeliveryRow = { state: StoredState; attempt: number; at: number; extra: string; batch: string };

export type Row = {
  state: TaskState | null;
  expiry: number;
  ended: number | null;
  made: number | null;
  removed: number | null;
  hash: string | null;
  doneWhenSent: boolean;
  bytes: Buffer | null;
  deliveries: Map<string, DeliveryRow>;
  /** What a replay stored of a task that has been deleted. */
  trace: { gone: number; hash: string; made: number } | null;
  expireAt: number;
};

export type Marker = {
  epoch: string;
  /** The Redis process for which it is complete, and the one in which it was begun. */
  attestedFor: string | null;
  begunBy: string;
  begunAt: number;
  version: number;
  offsets: { c: Map<number, number>; t: Map<number, number>; s: Map<number, number> };
  attested: Set<string>;
  /** Presence partitions whose owner has caught up in this epoch. */
  live: Set<number>;
  tokens: Map<number, number>;
};

export type OrgData = {
  marker: Marker | null;
  /** Pending tasks with their expiry: Redis deletes these keys then. */
  tasks: Map<string, number>;
  rows: Map<string, Row>;
  pending: Map<string, number>;
  ended: Map<string, number>;
  announcing: Map<string, number>;
  log: string[];
  inFlight: Map<string, number>;
  facts: Map<number, Map<string, Buffer>>;
  presence: Map<number, Map<string, string>>;
  counts: Map<string, { rows: Map<number, [number, number]>; expireAt: number }>;
};

const LOG_MAX = 1_024;

const newOrg = (): OrgData => ({
  marker: null,
  tasks: new Map(),
  rows: new Map(),
  pending: new Map(),
  ended: new Map(),
  announcing: new Map(),
  log: [],
  inFlight: new Map(),
  facts: new Map(),
  presence: new Map(),
  counts: new Map(),
});

/** Checks that a planted bug leaves out: those of claims, and that the first receipt counts. */
export type Lax = { expiry?: boolean; removal?: boolean; settled?: boolean; first?: boolean };

export class ShardAway extends Error {}

export class MemoryRedis {
  readonly nowMs: () => number;
  readonly lax: Lax = {};
  /** Called with the presence offset up to which an owner has read. */
  onRead: (oid: string, partition: number, nextOffset: number) => void = () => {};
  #orgs = new Map<string, OrgData>();
  #run = 1;
  #epochs = 0;

  /** Orgs whose shard is away for calls over a connection. */
  readonly away = new Set<string>();
  isAsked = false;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  get runId(): string {
    return `run${this.#run}`;
  }

  /** The time in whole milliseconds, as scripts see it. */
  get now(): number {
    return Math.floor(this.nowMs());
  }

  /** @throws ShardAway */
  org(oid: string): OrgData {
    if (this.isAsked && this.away.has(oid)) throw new ShardAway();
    let org = this.#orgs.get(oid);
    if (org === undefined) {
      org = newOrg();
      this.#orgs.set(oid, org);
    }
    return org;
  }

  flush(): void {
    this.#orgs = new Map();
  }

  /** Starts another process with this data: none, the current one, or an older snapshot. */
  restart(data: ReadonlyMap<string, OrgData> = new Map()): void {
    this.#run += 1;
    this.#orgs = new Map([...data].map(([oid, org]) => [oid, copyOrg(org)]));
  }

  snapshot(): ReadonlyMap<string, OrgData> {
    return new Map([...this.#orgs].map(([oid, org]) => [oid, copyOrg(org)]));
  }

  lose(oid: string): void {
    this.#orgs.delete(oid);
  }

  newEpoch(): string {
    this.#epochs += 1;
    return `e${this.#epochs}-${this.runId}`;
  }

  /** The record of a task, unless it has expired as a key. */
  row(org: OrgData, taskId: string): Row | undefined {
    const row = org.rows.get(taskId);
    if (row === undefined || row.expireAt > this.now) return row;
    org.rows.delete(taskId);
    return undefined;
  }

  makeRow(org: OrgData, taskId: string, expireAt: number): Row {
    const known = this.row(org, taskId);
    if (known) return known;
    const row: Row = {
      state: null,
      expiry: 0,
      ended: null,
      made: null,
      removed: null,
      hash: null,
      doneWhenSent: false,
      bytes: null,
      deliveries: new Map(),
      trace: null,
      expireAt,
    };
    org.rows.set(taskId, row);
    return row;
  }

  /** For requests that need a complete projection. */
  use(oid: string, epoch: string, partition?: number, fencingToken?: string): Refusal | null {
    const { marker } = this.org(oid);
    if (marker === null) return { ok: false, why: 'lost' };
    if (marker.epoch !== epoch) return { ok: false, why: 'epoch', epoch: marker.epoch };
    if (marker.attestedFor !== this.runId) return { ok: false, why: 'not_ready' };
    if (partition !== undefined && String(marker.tokens.get(partition)) !== fencingToken)
      return { ok: false, why: 'fenced' };
    return null;
  }

  /** For the rebuild itself: the org has to be begun in this process. */
  rebuild(oid: string, epoch: string): Refusal | null {
    const { marker } = this.org(oid);
    if (marker === null) return { ok: false, why: 'lost' };
    if (marker.epoch !== epoch) return { ok: false, why: 'epoch', epoch: marker.epoch };
    if (marker.begunBy !== this.runId) return { ok: false, why: 'lost' };
    return null;
  }

  changed(org: OrgData, changes: string[]): void {
    if (changes.length === 0) return;
    org.log.push(...changes);
    if (org.log.length > LOG_MAX) org.log.splice(0, org.log.length - LOG_MAX);
    (org.marker as Marker).version += changes.length;
  }
}

export const raise = (offsets: Map<number, number>, partition: number, next: number): void => {
  if (next > (offsets.get(partition) ?? -1)) offsets.set(partition, next);
};

/** Values are replaced, never changed, so a copy of the map is enough. */
function copyOrg(org: OrgData): OrgData {
  const { marker } = org;
  return {
    marker: marker && {
      ...marker,
      offsets: { c: new Map(marker.offsets.c), t: new Map(marker.offsets.t), s: new Map(marker.offsets.s) },
      attested: new Set(marker.attested),
      live: new Set(marker.live),
      tokens: new Map(marker.tokens),
    },
    tasks: new Map(org.tasks),
    rows: new Map([...org.rows].map(([id, row]) => [id, { ...row, deliveries: new Map(row.deliveries) }])),
    pending: new Map(org.pending),
    ended: new Map(org.ended),
    announcing: new Map(org.announcing),
    log: [...org.log],
    inFlight: new Map(org.inFlight),
    facts: new Map([...org.facts].map(([partition, rows]) => [partition, new Map(rows)])),
    presence: new Map([...org.presence].map(([partition, rows]) => [partition, new Map(rows)])),
    counts: new Map([...org.counts].map(([id, { rows, expireAt }]) => [id, { rows: new Map(rows), expireAt }])),
  };
}

export const doneWhenSent = (connectionHash: string): boolean => connectionHash.startsWith(DONE_WHEN_SENT_MARK);
