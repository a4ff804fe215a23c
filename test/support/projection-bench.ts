/**
 * What the contract tests of the projection need: an implementation, and functions to break it. Each test has its own org, so tests
 * of one implementation do not affect each other.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { TaskCommand } from '../../src/model/records.ts';
import { claimHash } from '../../src/model/task.ts';
import type {
  AckedEvent,
  AckRequest,
  Answer,
  ApplyCommand,
  ApplyOutcome,
  ClaimWord,
  InFlight,
  Projection,
  SensorRows,
} from '../../src/projector/projection.ts';

/** Milliseconds. Long times are never reached in a test; a test waits for the end of the short ones. */
export type Settings = {
  leaseMs: number;
  marginMs: number;
  firstBackoffMs: number;
  maxBackoffMs: number;
  retentionMs: number;
};

/** Nothing expires during a test. */
export const PATIENT: Settings = {
  leaseMs: 60_000,
  marginMs: 50,
  firstBackoffMs: 60_000,
  maxBackoffMs: 600_000,
  retentionMs: 600_000,
};

export type Bench = {
  /** The same projection with other settings. */
  projection(settings: Partial<Settings>): Promise<Projection>;
  /** The clock of the projection, Unix ms. */
  nowMs(): Promise<number>;
  /** Resolves when the clock of the projection has passed this time. */
  reach(atMs: number): Promise<void>;
  /** Deletes everything of the org, like an emptied Redis. */
  lose(oid: string): Promise<void>;
  /** Another process answers for the org from now on, with the same data: a restored snapshot, a promoted replica. */
  replace(oid: string): Promise<void>;
  /** The keys of the org, except its marker and its change log. */
  left(oid: string): Promise<string[]>;
  /** The lease of the process that announces ended tasks is over. */
  endAnnouncing(oid: string): Promise<void>;
  stop(): Promise<void>;
};

const command = (oid: string, taskId: string, content: string): TaskCommand => ({
  action: 'TASK',
  oid,
  task_id: taskId,
  task: content,
  selector: null,
  context: null,
  ttl: 60,
  issued_at: 0,
  issued_by: '',
  untask_selector: null,
  options: null,
});

/** The bytes of a command in these tests, and the function that decodes them. */
export const encodeCommand = (value: TaskCommand): Buffer => Buffer.from(JSON.stringify(value));
export const decodeCommand = (bytes: Buffer): TaskCommand => JSON.parse(bytes.toString()) as TaskCommand;

export const FAR_MS = 3_600_000;

/** One org of a projection, in partition 0 by default. Answers are unwrapped; a refusal fails the test. */
export class Org {
  readonly oid = randomUUID();
  epoch = '';
  fencingToken = '';
  nowMs = 0;
  #batch = 0;
  readonly bench: Bench;
  readonly projection: Projection;

  constructor(bench: Bench, projection: Projection) {
    this.bench = bench;
    this.projection = projection;
  }

  async begin(): Promise<void> {
    const [status] = await this.projection.begin([this.oid]);
    this.epoch = status!.epoch;
    this.nowMs = status!.nowMs;
  }

  /** Begun and attested, with partition 0 of presence taken over. */
  async use(): Promise<this> {
    await this.begin();
    await this.attestAll();
    this.fencingToken = await this.take();
    return this;
  }

  async attestAll(): Promise<void> {
    for (const kind of ['c', 't'] as const) await this.attest(kind, 0, 0, 2);
  }

  async attest(kind: 'c' | 't', partition: number, nextOffset: number, total: number): Promise<void> {
    const { oid, epoch } = this;
    const [answer] = await this.projection.attest([{ oid, epoch, kind, partition, nextOffset, total }]);
    ok(answer!);
  }

  async take(partition = 0): Promise<string> {
    return ok(await this.projection.takeover(this.oid, this.epoch, partition)).fencingToken;
  }

  task(
    offset: number,
    taskId: string,
    { expiresAtMs = this.nowMs + FAR_MS, content = 'os_version', appendedAtMs = this.nowMs, doneWhenSent = false } = {},
  ): ApplyCommand {
    const bytes = encodeCommand(command(this.oid, taskId, content));
    return { op: 'task', offset, taskId, appendedAtMs, expiresAtMs, contentHash: content, doneWhenSent, bytes };
  }

  untask(offset: number, taskId: string, appendedAtMs = this.nowMs): ApplyCommand {
    return { op: 'untask', offset, taskId, appendedAtMs };
  }

  async apply(...commands: ApplyCommand[]): Promise<ApplyOutcome[]> {
    const nextOffset = (commands.at(-1)?.offset ?? -1) + 1;
    const request = { oid: this.oid, epoch: this.epoch, partition: 0, nextOffset, commands };
    return ok((await this.projection.apply([request]))[0]!).outcomes;
  }

  async events(...events: (Partial<AckedEvent> & Pick<AckedEvent, 'type' | 'taskId'>)[]): Promise<void> {
    const whole = events.map((event) => ({
      sid: event.type === 'expired' ? '' : 's1',
      attempt: 1,
      atMs: this.nowMs,
      expiresAtMs: this.nowMs + FAR_MS,
      extra: '0',
      ...event,
    }));
    const request = { oid: this.oid, epoch: this.epoch, partition: 0, nextOffset: 1, events: whole };
    ok((await this.projection.applyEvents([request]))[0]!);
  }

  /** `last`: the withdrawals are on the log, and the offset advances. */
  async narrow(
    offset: number,
    taskId: string,
    sids: string[],
    { last = true, atMs = this.nowMs } = {},
  ): Promise<string[]> {
    const { oid, epoch } = this;
    const withdrawn = ok(await this.projection.narrow({ oid, epoch, partition: 0, offset, taskId, sids, atMs })).sids;
    if (last) await this.projection.advance([{ oid, epoch, kind: 'c', partition: 0, nextOffset: offset + 1 }]);
    return withdrawn;
  }

  newBatch(): string {
    this.#batch += 1;
    return `0:${this.fencingToken}:x${this.#batch}`;
  }

  rows(rows: Partial<SensorRows> = {}): SensorRows {
    const { oid, epoch, fencingToken } = this;
    return {
      oid,
      epoch,
      fencingToken,
      partition: 0,
      nextOffset: 0,
      live: false,
      replace: false,
      facts: [],
      presence: [],
      forgotten: [],
      ...rows,
    };
  }

  /** Claims one task for some sensors, over the connection of `connectionHash`. */
  async claim(
    taskId: string,
    sids: string[],
    { batch = this.newBatch(), connectionHash = 'tag1', by = this.projection, doneWhenSent = false } = {},
  ): Promise<ClaimWord[]> {
    const { oid, epoch, fencingToken } = this;
    const tasks = [
      { taskId, deliveries: sids.map((sid) => ({ sid, connectionHash: claimHash(connectionHash, doneWhenSent) })) },
    ];
    const { claims } = await by.claim([], [{ oid, epoch, partition: 0, fencingToken, batch, tasks }]);
    return ok(claims[0]!).words[0]!;
  }

  async confirm(
    batch: string,
    taskId: string,
    { dropped = [] as string[], kept = [] as string[], done = [] as string[] } = {},
  ): Promise<void> {
    const tasks = [{ taskId, dropped, kept, done }];
    await this.projection.confirm([{ oid: this.oid, epoch: this.epoch, batch, tasks }]);
  }

  /** Claimed and confirmed: attempt 1 is on the log. */
  async send(taskId: string, ...sids: string[]): Promise<void> {
    const batch = this.newBatch();
    expect(await this.claim(taskId, sids, { batch })).toEqual(sids.map(() => ({ word: 'claimed', attempt: 1 })));
    await this.confirm(batch, taskId);
  }

  async ack(...acks: AckRequest['acks']): Promise<{ words: unknown[]; waitFor: InFlight[] }> {
    const { oid, epoch, fencingToken } = this;
    const { words, waitFor } = ok((await this.projection.ack([{ oid, epoch, partition: 0, fencingToken, acks }]))[0]!);
    return { words, waitFor };
  }

  async delivery(taskId: string, sid = 's1') {
    return (await this.projection.readDeliveries(this.oid, taskId)).get(sid);
  }

  async stateOf(taskId: string): Promise<string | undefined> {
    return (await this.projection.readTasks(this.oid, [taskId]))[0]?.state;
  }

  async pending(): Promise<string[]> {
    return (await this.projection.pendingIds(this.oid, 1_000, null)).ids;
  }

  due() {
    return this.projection.due([{ oid: this.oid, epoch: this.epoch }], 100);
  }
}

export function ok<T extends object>(answer: Answer<T>): { ok: true } & T {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
}

/** Sends every request that needs a complete projection. Returns the answers, by name. */
export async function askEverything(org: Org): Promise<Record<'use' | 'rebuild', Record<string, Answer<object>>>> {
  const { projection, oid, epoch, fencingToken } = org;
  const batch = org.newBatch();
  const sid = 's1';
  const claims = await projection.claim(
    [org.rows()],
    [
      {
        oid,
        epoch,
        partition: 0,
        fencingToken,
        batch,
        tasks: [{ taskId: 'T', deliveries: [{ sid, connectionHash: 'a' }] }],
      },
    ],
  );
  const acks = [{ taskId: 'T', sid, state: 'done' as const, code: '0' }];
  return {
    use: {
      claim: claims.claims[0]!,
      rows: claims.rows[0]!,
      writeSensors: (await projection.writeSensors([org.rows()]))[0]!,
      recheck: await projection.recheck({ oid, epoch, partition: 0, fencingToken, batch, tasks: [] }),
      ack: (await projection.ack([{ oid, epoch, partition: 0, fencingToken, acks }]))[0]!,
      inFlight: await projection.inFlight(oid, epoch),
      changes: await projection.changes(oid, epoch, 0),
      takeover: await projection.takeover(oid, epoch, 7),
    },
    rebuild: {
      apply: (await projection.apply([{ oid, epoch, partition: 5, nextOffset: 1, commands: [org.task(0, 'U')] }]))[0]!,
      applyEvents: (await projection.applyEvents([{ oid, epoch, partition: 5, nextOffset: 1, events: [] }]))[0]!,
      narrow: await projection.narrow({
        oid,
        epoch,
        partition: 5,
        offset: 1,
        taskId: 'U',
        sids: [],
        atMs: 0,
      }),
      attest: (await projection.attest([{ oid, epoch, kind: 'c', partition: 5, nextOffset: 2, total: 99 }]))[0]!,
    },
  };
}
