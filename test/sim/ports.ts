/**
 * The ports of a role in the simulation: the real outbox, inbox, group, assigner and codec over a broker in memory, and the
 * projection in memory. A planted bug wraps the ports of every process.
 */
import type { Consumer, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { clockOf } from '../../src/async/clock.ts';
import type { Config } from '../../src/config.ts';
import { type Codec, createCodec } from '../../src/edges/avro/codec.ts';
import { createInbox } from '../../src/edges/kafka/inbox.ts';
import { createOutbox } from '../../src/edges/kafka/outbox.ts';
import { Progress } from '../../src/edges/kafka/progress.ts';
import { ApiError } from '../../src/errors.ts';
import type { RecordName } from '../../src/model/records.ts';
import { SettingsTable } from '../../src/orgs/settings.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { Metrics, Orgs, RolePorts } from '../../src/ports.ts';
import { TOPICS, topicNames } from '../../src/topics.ts';
import type { Kind } from './cluster.ts';
import type { Broker } from './kafka/broker.ts';
import { SimConsumer } from './kafka/consumer.ts';
import { simOffsets, simReadAll } from './kafka/offsets.ts';
import { simProducer } from './kafka/producer.ts';
import { Wire } from './kafka/wire.ts';
import type { Random } from './random.ts';
import { connectProjection, type RedisServer } from './redis/server.ts';
import type { Proc, Scheduler } from './scheduler.ts';

export type Env = {
  scheduler: Scheduler;
  random: Random;
  config: Config;
  broker: Broker;
  redis: RedisServer;
  /** The probability that a produce fails, 0 to 1, and how much slower the broker is, in ms. */
  trouble: { produce: number; brokerMs: number };
  /** null: no trace. */
  trace: ((who: string, what: string) => void) | null;
  wrap(ports: RolePorts, kind: Kind): RolePorts;
};

export const NAMES = topicNames('');

export const codec: Codec = createCodec({
  topicOf: Object.fromEntries(
    Object.entries(TOPICS).flatMap(([key, { record }]) =>
      record === null ? [] : [[record, NAMES[key as keyof typeof NAMES]]],
    ),
  ) as Record<RecordName, string>,
});

const nothing = (): void => undefined;
const METRICS: Metrics = {
  lag: nothing,
  pendingTasks: nothing,
  expired: nothing,
  dispatched: nothing,
  acked: nothing,
  deadLettered: nothing,
  tagsPassedOver: nothing,
  dispatchLatency: nothing,
  batchLatency: nothing,
};

/** No invariant depends on these two. */
const SETTINGS: RolePorts['settings'] = {
  get: () => undefined,
  list: () => [],
  write: () => Promise.reject(new Error('the simulation writes no settings here')),
  refresh: async () => undefined,
  onChange: () => nothing,
};
const STATS: RolePorts['stats'] = {
  count: async (requests) => requests.map(() => null),
  writeOnline: async () => undefined,
  read: async () => [],
};

export function portsOf(env: Env, proc: Proc, kind: Kind): RolePorts {
  const { scheduler, random, config, broker, redis } = env;
  const startedMs = scheduler.nowMs;
  const clock = clockOf({
    nowMs: () => Math.floor(scheduler.nowMs + proc.skewMs),
    monoMs: () => scheduler.nowMs - startedMs,
    after: (ms, work) => scheduler.after(Math.max(ms, 1), work, proc),
    random: () => random.next(),
  });
  const log = logger(env, proc);
  const lost = () => new ApiError('unavailable', 'The broker is away.');
  const open = () => new Wire({ scheduler, random, proc, server: broker, extraMs: () => env.trouble.brokerMs, lost });
  const producers = { scheduler, random, proc, broker, unwell: () => env.trouble.produce };
  const asking = open();
  const kafka = {
    consumer: (settings: ConstructorParameters<typeof SimConsumer>[0]['config']) =>
      new SimConsumer({ scheduler, random, proc, broker, wire: open(), config: settings }) as unknown as Consumer,
  } as Kafka;
  const inbox = createInbox({
    kafka,
    codec,
    config,
    log,
    clock,
    offsets: simOffsets(broker, asking),
    progress: new Progress(),
  });
  return env.wrap(
    {
      config,
      log,
      clock,
      orgs: followOrgs(env, proc, asking),
      settings: SETTINGS,
      stats: STATS,
      inbox: {
        ...inbox,
        readAll: (topic, onRecords) => simReadAll(broker, asking, NAMES[topic], onRecords),
      },
      outbox: createOutbox({
        durable: simProducer({ ...producers, wire: open() }, 'durable'),
        once: simProducer({ ...producers, wire: open() }, 'once'),
        quick: simProducer({ ...producers, wire: open() }, 'quick'),
        codec,
        prefix: '',
        nowMs: clock.nowMs,
        onRefused: nothing,
      }),
      projection: connectProjection({
        scheduler,
        random,
        proc,
        server: redis,
        config,
        decodeCommand: (bytes) => codec.decode('TaskCommand', bytes),
      }),
      recordCodec: codec,
      metrics: METRICS,
    },
    kind,
  );
}

/** A table of its own, a little behind the settings. */
function followOrgs({ scheduler, random, broker }: Env, proc: Proc, wire: Wire): Orgs {
  const table = new OrgTable();
  let next = 0;
  const read = (): void => {
    const log = broker.log(NAMES.orgSettings)[0] ?? [];
    for (const { key, value } of log.slice(next)) table.apply(String(key), value && codec.decode('OrgSetting', value));
    next = log.length;
  };
  read();
  broker.onNews(() => {
    if (proc.alive && (broker.log(NAMES.orgSettings)[0]?.length ?? 0) > next)
      scheduler.after(random.between(1, 300), read, proc);
  });
  return { table, settings: new SettingsTable(), refresh: () => wire.call(() => undefined).then(read) };
}

function logger({ trace }: Env, proc: Proc): Logger {
  const say = (level: string) => (fields: unknown, text?: string) => {
    if (trace === null) return;
    if (typeof fields === 'string') return trace(proc.name, `${level} ${fields}`);
    const { err, ...rest } = fields as { err?: { message?: string } };
    const details = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    trace(proc.name, `${level} ${text ?? ''}${details}${err === undefined ? '' : ` (${err.message})`}`);
  };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') } as unknown as Logger;
}
