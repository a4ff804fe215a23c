import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Acknowledge, type AcknowledgeOptions, waitForClaims } from '../../src/joiner/acknowledge.ts';
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
  const orgPartitions = new Map<string, OrgPartition>(
    OIDS.map((oid) => [oid, Object.assign(newOrgPartition(oid, 3), { fencingToken: '1', epoch: 'e' })]),
  );
  /** Task ids of the written events. */
  const written: string[] = [];
  const refused: Why[] = [];
  let committed = 0;
  let produceMs = 0;
  const acked = new Set<string>();
  const wordFor = (taskId: string) => {
    const word = acked.has(taskId) ? 'repeat' : 'first';
    acked.add(taskId);
    return { word, state: 'done', attempt: 1, atMs: 1, expiresAtMs: 9, code: '0' };
  };
  let answer = (_: AckRequest): Answer<object> | null => null;
  const options = {
    task: () => undefined,
    refused: (_: OrgPartition, why: Why) => void refused.push(why),
    orgPartitionsOf: () => orgPartitions,
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
          written.push(...events.map(({ event }) => event.task_id));
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
  } as unknown as AcknowledgeOptions;
  const acknowledge = new Acknowledge(options);
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
    orgPartitions,
    written,
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
    handle: () => time.run(acknowledge.handle(batch)),
  };
}

describe('a batch of sensor events', () => {
  it('is acknowledged, its events are written, and its offset is committed', async () => {
    const { handle, written, committed } = world();
    expect(await handle()).toBe(true);
    expect(written).toEqual(['task-1', 'task-2']);
    expect(committed()).toBe(1);
  });

  it('is left while an org partition is being taken over, and its partition pauses until then', async () => {
    const { handle, orgPartitions, written, committed, time } = world();
    const orgPartition = orgPartitions.get(OIDS[1]) as OrgPartition;
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
    expect([written, committed()]).toEqual([[], 0]);
    expect(await handle()).toBe(true);
    expect(written).toEqual(['task-1', 'task-2']);
  });

  it.each([
    ['away', []],
    ['fenced', ['fenced']],
  ] as const)('is left if Redis answers %s for one org', async (why, expected) => {
    const { handle, refused, answerWith, committed } = world();
    answerWith(({ oid }) => (oid === OIDS[1] ? { ok: false, why } : null));
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect([refused, committed()]).toEqual([expected, 0]);
  });

  it('does not release an org partition that was taken over again before the answer came', async () => {
    const { handle, refused, orgPartitions, answerWith } = world();
    answerWith(({ oid }) => {
      if (oid !== OIDS[1]) return null;
      Object.assign(orgPartitions.get(oid) as OrgPartition, { fencingToken: '2' });
      return { ok: false, why: 'fenced' };
    });
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect(refused).toEqual([]);
  });

  it('is committed after a slow write of its events if Redis still has the acknowledgements', async () => {
    const { handle, written, committed, produceTakes } = world();
    produceTakes(9_000);
    expect(await handle()).toBe(true);
    expect([written, committed()]).toEqual([['task-1', 'task-2'], 1]);
  });

  it('is repeated, and only then committed, if Redis lost the acknowledgements while their events were written', async () => {
    const { handle, written, committed, produceTakes, acked, time } = world();
    produceTakes(9_000);
    void time.delay(5_000).then(() => acked.clear());
    expect(await handle()).toEqual({ until: expect.any(Promise) });
    expect(committed()).toBe(0);
    produceTakes(0);
    expect(await handle()).toBe(true);
    expect([written, committed()]).toEqual([['task-1', 'task-2', 'task-1', 'task-2'], 1]);
  });
});

describe('claims in flight', () => {
  const stubOf = (
    answers: (
      | { ok: true; nowMs: number; entries: { batch: string; untilMs: number }[] }
      | { ok: false; why: 'not_ready' }
    )[],
  ) => {
    let now = 0;
    const clock = {
      monoMs: () => now,
      delay: async (ms: number) => {
        now += ms;
      },
    };
    const projection = { inFlight: async () => answers.shift() ?? { ok: false, why: 'not_ready' } };
    return { elapsed: () => now, ports: { clock, projection } as unknown as AcknowledgeOptions['ports'] };
  };

  it('are waited for until they are confirmed in the same usable epoch', async () => {
    const entry = { batch: 'b', untilMs: 10_500 };
    const stub = stubOf([
      { ok: true, nowMs: 0, entries: [entry] },
      { ok: true, nowMs: 0, entries: [] },
    ]);
    await waitForClaims(stub.ports, OIDS[0], 'e', 10_000, [entry]);
    expect(stub.elapsed()).toBe(10);
  });

  it('are waited for until their lease is over if Redis refuses', async () => {
    const stub = stubOf([]);
    await waitForClaims(stub.ports, OIDS[0], 'e', 10_000, [{ batch: 'b', untilMs: 10_500 }]);
    expect(stub.elapsed()).toBe(500);
  });
});
