/** Logs that end in what is no record: the marker of a transaction, or one that was aborted. Everybody gets to their ends. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Kafka, ProducerConfig, Transaction } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, openSoleProducer } from '../../src/edges/kafka/producer.ts';
import { startTail } from '../../src/edges/kafka/tail.ts';
import { System, soon } from './support/system.ts';

const PARTITIONS = 4;
const system = new System({ TOPIC_PARTITIONS: String(PARTITIONS) });
const waitFor = <T>(check: () => T) => vi.waitFor(check, soon);

beforeAll(() => system.start(['api', 'projector']));
afterAll(() => system.stop());

/** Writes in one transaction that is committed (or not even that), then in one that is aborted, to every partition of the topics. */
async function transact(
  topics: string[],
  recordOf: (topic: string) => { key: string; value: Buffer },
  commits = true,
): Promise<void> {
  const producer = createKafka(system.config, system.log).producer({
    transactionalId: randomUUID(),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const write = async (transaction: Transaction, of: typeof recordOf) => {
    for (const topic of topics) {
      const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({ ...of(topic), partition }));
      await transaction.send({ topic, messages });
    }
  };
  if (commits) {
    const committed = await producer.transaction();
    await write(committed, recordOf);
    await committed.commit();
  }
  const aborted = await producer.transaction();
  await write(aborted, () => ({ key: 'aborted', value: Buffer.from('nobody may read this') }));
  await aborted.abort();
  await producer.disconnect();
}

it('lets a joiner take its partitions, a projector rebuild, and the settings be read, at the end of such logs', async () => {
  const { topics, codec, oid } = system;
  const [sid, taskId] = [randomUUID(), randomUUID()];
  const event = { oid, sid, occurred_at: Date.now() };
  const presence = {
    ...event,
    event: 'UPDATED' as const,
    connection_id: '',
    sensor: null,
    add_tags: [],
    remove_tags: [],
    set_should_isolate: null,
    try_now: false,
  };
  const command = {
    action: 'UNTASK' as const,
    oid,
    task_id: taskId,
    task: null,
    selector: null,
    context: null,
    ttl: 60,
    issued_at: Date.now(),
    issued_by: '',
    untask_selector: null,
    options: null,
  };
  const values = {
    [topics.presence]: { key: sid, value: codec.encode('SensorPresence', presence) },
    [topics.commands]: { key: taskId, value: codec.encode('TaskCommand', command) },
    [topics.sensorEvents]: { key: sid, value: Buffer.from('refused') },
    [topics.taskEvents]: { key: taskId, value: Buffer.from('refused') },
    [topics.orgSettings]: { key: 'x', value: Buffer.from('refused') },
    [topics.sensorState]: { key: 'x', value: Buffer.from('refused') },
  };
  await transact(Object.keys(values), (topic) => values[topic] as { key: string; value: Buffer });

  await system.startRoles(['joiner']);
  expect(await system.ready('joiner')).toBe(true);

  // What was aborted after all was read is all that stands behind the offsets from which the next owner reads.
  await transact(Object.keys(values), (topic) => values[topic] as { key: string; value: Buffer }, false);
  await system.roles.get('joiner')?.stop();
  await system.startRoles(['joiner']);
  expect(await system.ready('joiner')).toBe(true);

  await system.redis.del(...(await system.redis.keys(`{${oid}}:*`)));
  await vi.waitFor(async () => expect(await system.ready('projector')).toBe(false), { timeout: 5_000, interval: 10 });
  await waitFor(async () => {
    expect(await system.ready('projector')).toBe(true);
    expect(await system.ready('joiner')).toBe(true);
  });

  await transact([topics.orgSettings], () => ({ key: 'x', value: Buffer.from('refused') }));
  const stranger = randomUUID();
  await system.command({ task_id: stranger, oid: randomUUID() });
  await waitFor(() => expect(system.seen.deadLetters.map(({ key }) => String(key))).toContain(stranger));

  const [connected, task] = [randomUUID(), randomUUID()];
  await system.presence({ sid: connected });
  await system.command({ task_id: task, selector: `sid == "${connected}"` });
  await waitFor(() => expect(system.sent(task)).toHaveLength(1));
  expect(system.seen.deadLetters.map(({ key }) => String(key))).not.toContain('aborted');
}, 120_000);

/** Whose transactions are committed by `commit` instead. */
function committing(kafka: Kafka, commit: () => Promise<void>): Kafka {
  const real = kafka.producer.bind(kafka);
  const producer = (config?: ProducerConfig) => {
    const whole = real(config);
    const transaction = async () => ({ ...(await whole.transaction()), commit });
    return { ...whole, transaction };
  };
  return Object.assign(kafka, { producer });
}

/** A Kafka whose transactions stop before their commit, as if the process had died; it calls `died` then. */
const dying = (kafka: Kafka, died: () => void): Kafka =>
  committing(kafka, () => {
    died();
    return new Promise<void>(() => {});
  });

// The broker says so for some milliseconds, between taking back the records of the old holder and naming the new one.
it.each([-1, 51])('takes an answer %i to its commit for another redrive that is taking over', async (code) => {
  const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error');
  const topic = system.topics.commands;
  const kafka = createKafka(system.config, system.log);
  const refused = await openSoleProducer(
    committing(kafka, () => Promise.reject(createErrorFromCode(code))),
    `it-${randomUUID()}`,
  );
  const sending = refused.send(new Map([[topic, [{ key: 'nobody', value: Buffer.from('reads this') }]]]));
  await expect(sending).rejects.toMatchObject({ name: 'Overtaken' });
  await refused.stop();
});

it('lets readers pass a redrive that died before its commit, well within the minute that a transaction may take by itself', async () => {
  const kafka = createKafka(system.config, system.log);
  const topic = `it-${randomUUID()}-redriven`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  const death = Promise.withResolvers<void>();
  const mortal = dying(createKafka(system.config, system.log), death.resolve);
  const dead = await openSoleProducer(mortal, `it-${randomUUID()}`);
  void dead.send(new Map([[topic, [{ key: 'dead', value: Buffer.from('dead') }]]]));
  await death.promise;
  const diedAtMs = performance.now();
  const producer = await createProducer(kafka, 'durable');
  await producer.send(topic, [{ key: 'next', value: Buffer.from('next') }]);
  const read: string[] = [];
  const onRecords = (records: { value: Buffer | null }[]) => void read.push(...records.map(({ value }) => `${value}`));
  const tail = await startTail({ kafka, topic, from: 'beginning', log: system.log, onRecords });
  await vi.waitFor(() => expect(read).toEqual(['next']), { timeout: 80_000, interval: 100 });
  const waitedMs = performance.now() - diedAtMs;
  expect(waitedMs).toBeGreaterThan(5_000); // it did stand in the way
  expect(waitedMs).toBeLessThan(45_000);
  await Promise.all([tail.stop(), producer.stop(), admin.disconnect(), dead.stop()]);
}, 120_000);
