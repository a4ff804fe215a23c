import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { onSensorEvents } from '../../src/joiner/acknowledge.ts';
import type { Joining } from '../../src/joiner/joining.ts';
import { newOrgPartition, type OrgPartition } from '../../src/joiner/org-partition.ts';
import type { SensorEvent } from '../../src/model/records.ts';
import { bootstrapSettings } from '../../src/orgs/bootstrap.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { Batch, EpochEvent, InRecord } from '../../src/ports.ts';
import type { AckRequest, Answer, Why } from '../../src/projector/projection.ts';
import { Time } from './world.ts';

const OIDS = ['11111111-2222-4333-8444-555555555555', '22222222-2222-4333-8444-555555555555'] as const;
const orgs = new OrgTable();
for (const oid of OIDS)
  for (const setting of bootstrapSettings(orgs, oid, randomUUID(), 1))
    orgs.apply(`${oid}/${setting.kind}/${setting.name}`, setting);

const receiptOf = (oid: string): SensorEvent => ({
  oid,
  sid: 's',
  event_type: 'RECEIPT',
  event_id: 'e',
  occurred_at: 7,
  investigation_id: null,
  task_id: `task-${oid.slice(0, 1)}`,
  routing: '{}',
  event: '{}',
});

function world() {
  const time = new Time();
  const ownership = new Map<string, OrgPartition>(
    OIDS.map((oid) => [oid, Object.assign(newOrgPartition(oid, 3), { fencingToken: '1', epoch: 'e' })]),
  );
  const told: string[] = [];
  const refused: Why[] = [];
  let committed = 0;
  let produceMs = 0;
  let repeatsBelow = 0;
  const acked = new Set<string>();
  const wordFor = (taskId: string) => {
    const word = acked.has(taskId) ? 'repeat' : 'first';
    acked.add(taskId);
    return { word, state: 'done', attempt: 1, atMs: 1, expiresAtMs: 9, code: '0' };
  };
  let answer = (_: AckRequest): Answer<object> | null => null;
  const joiner = {
    tries: new Map(),
    repeats: {
      below: () => repeatsBelow,
      tell: (_: number, below: number) => {
        repeatsBelow = below;
      },
    },
    followers: { task: () => undefined },
    refused: (_: OrgPartition, why: Why) => void refused.push(why),
    ownership: { in: () => ownership },
    commit: async () => {
      committed += 1;
    },
    ports: {
      log: pino({ level: 'silent' }),
      clock: { random: () => 0.5, monoMs: () => time.now, delay: (ms: number) => time.delay(ms) },
      config: { CLAIM_LEASE_MS: 1_000 },
      orgs: { table: orgs, refresh: async () => undefined },
      metrics: { deadLettered: () => undefined, acked: () => undefined },
      inbox: {
        decode: async (_: string, records: InRecord[]) =>
          records.map((record) => ({ record, value: receiptOf(record.topic) })),
      },
      outbox: {
        taskEvents: async (events: EpochEvent[]) => {
          if (produceMs > 0) await time.delay(produceMs);
          told.push(...events.map(({ event }) => event.task_id));
        },
        deadLetters: async () => undefined,
      },
      projection: {
        ack: async (requests: AckRequest[]) =>
          requests.map((request) => {
            const words = () => request.acks.map(({ taskId }) => wordFor(taskId));
            return answer(request) ?? { ok: true, nowMs: 0, waitFor: [], words: words() };
          }),
      },
    },
  } as unknown as Joining;
  const records = OIDS.map((oid, offset) => ({ topic: oid, partition: 3, offset, key: Buffer.from('s'), value: null }));
  const batch = {
    topic: 'sensorEvents',
    partition: 3,
    records,
    nextOffset: 2,
    lag: 0,
    alive: () => true,
  } as unknown as Batch;
  return {
    ownership,
    told,
    refused,
    time,
    committed: () => committed,
    acked,
    produceTakes: (ms: number) => {
      produceMs = ms;
    },
    answerWith: (next: typeof answer) => {
      answer = next;
    },
    handle: () => time.run(onSensorEvents(joiner, batch)),
  };
}

describe('a batch of sensor events', () => {
  it('is told and committed', async () => {
    const { handle, told, committed } = world();
    expect(await handle()).toBe(true);
    expect(told).toEqual(['task-1', 'task-2']);
    expect(committed()).toBe(1);
  });

  it('is left while the seat of an org is being taken, and its partition rests until the seat is there', async () => {
    const { handle, ownership, told, committed, time } = world();
    const orgPartition = ownership.get(OIDS[1]) as OrgPartition;
    orgPartition.fencingToken = null;
    const started = time.now;
    const handled = await handle();
    expect(time.now).toBe(started);
    expect(handled).toEqual({ until: expect.any(Promise) });
    void time.delay(500).then(() => {
      orgPartition.fencingToken = '2';
    });
    await time.run((handled as { until: Promise<unknown> }).until);
    expect(time.now - started).toBeLessThan(600);
    expect([told, committed()]).toEqual([[], 0]);
    expect(await handle()).toBe(true);
    expect(told).toEqual(['task-1', 'task-2']);
  });

  it.each([
    ['away', []],
    ['fenced', ['fenced']],
  ] as const)('is left when the org of a receipt is %s', async (why, expected) => {
    const { handle, refused, answerWith, committed } = world();
    answerWith(({ oid }) => (oid === OIDS[1] ? { ok: false, why } : null));
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect([refused, committed()]).toEqual([expected, 0]);
  });

  it('does not give up a seat that was taken anew while the answer was under way', async () => {
    const { handle, refused, ownership, answerWith } = world();
    answerWith(({ oid }) => {
      if (oid !== OIDS[1]) return null;
      Object.assign(ownership.get(oid) as OrgPartition, { fencingToken: '2' });
      return { ok: false, why: 'fenced' };
    });
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect(refused).toEqual([]);
  });

  it('is committed after a slow produce, when Redis still has what was told', async () => {
    const { handle, told, committed, produceTakes } = world();
    produceTakes(9_000);
    expect(await handle()).toBe(true);
    expect([told, committed()]).toEqual([['task-1', 'task-2'], 1]);
  });

  it('is told again, and not committed before, when Redis has lost its acks while they were told', async () => {
    const { handle, told, committed, produceTakes, acked, time } = world();
    produceTakes(9_000);
    void time.delay(5_000).then(() => acked.clear());
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect(committed()).toBe(0);
    produceTakes(0);
    expect(await handle()).toBe(true);
    expect([told, committed()]).toEqual([['task-1', 'task-2', 'task-1', 'task-2'], 1]);
  });
});
