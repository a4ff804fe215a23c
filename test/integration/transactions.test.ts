/** Logs that end in what is no record: the marker of a transaction, or one that was aborted. Everybody gets to their ends. */
import { randomUUID } from 'node:crypto';
import type { Transaction } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createKafka } from '../../src/edges/kafka/client.ts';
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
