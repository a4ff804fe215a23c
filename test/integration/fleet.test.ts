import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
import { NO_MISHAPS } from '../../src/fleet/answer.ts';
import { openFleet } from '../../src/fleet/open.ts';
import type { Fleet } from '../../src/fleet/run.ts';
import { RECORD_NAMES, type RecordName, type SensorEvent, type SensorPresence } from '../../src/model/records.ts';
import { topicNames } from '../../src/topics.ts';
import { dispatch } from '../fleet/fixtures.ts';

const prefix = `fleet-${randomUUID()}-`;
const oid = randomUUID();
const topics = topicNames(prefix);
const topicOf = Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>;
const codec = createCodec({ topicOf });
const log = pino({ level: 'silent' });

const presence: SensorPresence[] = [];
const events: SensorEvent[] = [];
const tails: Tail[] = [];
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  const config = readConfig({ ...process.env, KAFKA_TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '2' });
  const kafka = createKafka(config, log);
  const options = { oid, sensors: 12, offline: 3, ratePerSecond: 0, seed: 1, cycle: false, shares: NO_MISHAPS };
  fleet = await openFleet(config, options, log);
  producer = await createProducer(kafka, 'durable');
  const follow = (topic: string, onValue: (value: Buffer) => void) =>
    startTail({
      kafka,
      topic,
      from: 'beginning' as const,
      log,
      onRecords: (records) => {
        for (const { value } of records) if (value) onValue(value);
      },
    });
  tails.push(
    await follow(topics.presence, (value) => presence.push(codec.decode('SensorPresence', value))),
    await follow(topics.sensorEvents, (value) => events.push(codec.decode('SensorEvent', value))),
  );
});

afterAll(async () => {
  await fleet?.stop();
  await producer?.stop();
  await Promise.all(tails.map((tail) => tail.stop()));
});

const soon = { timeout: 20_000, interval: 50 };

describe('a fleet over Kafka', () => {
  it('announces everybody, each under its sid', async () => {
    await vi.waitFor(() => expect(presence.length).toBe(12), soon);
    expect(presence.filter(({ event }) => event === 'CONNECTED').length).toBe(9);
    expect(new Set(presence.map(({ sid }) => sid))).toEqual(new Set(fleet.sensors.map(({ sid }) => sid)));
  });

  it('answers what is sent to its present connections, and nothing else', async () => {
    const [first, second] = presence.filter(({ event }) => event === 'CONNECTED');
    const sent = [
      dispatch({ oid, sid: first!.sid, connection_id: first!.connection_id, expires_at: Date.now() + 60_000 }),
      dispatch({ oid, sid: second!.sid, connection_id: 'an earlier one', expires_at: Date.now() + 60_000 }),
      dispatch({ oid, sid: second!.sid, connection_id: second!.connection_id, expires_at: Date.now() - 1 }),
    ];
    await producer.send(
      topics.dispatch,
      sent.map((record) => ({ key: record.sid, value: codec.encode('TaskDispatch', record) })),
    );
    await vi.waitFor(() => expect(fleet.stats().heard).toBe(3), soon);
    await vi.waitFor(() => expect(events.length).toBe(1), soon);
    expect(events[0]).toMatchObject({ oid, sid: first?.sid, task_id: 't1', event_type: 'OS_VERSION_REP' });
    expect(fleet.stats()).toMatchObject({ ran: 1, answers: 1, ignored: { other_connection: 1, expired: 1 } });
  });

  it('disconnects everybody when it stops', async () => {
    await fleet.stop();
    await vi.waitFor(() => expect(presence.filter(({ event }) => event === 'DISCONNECTED').length).toBe(9), soon);
    expect(fleet.stats().online).toBe(0);
  });
});
