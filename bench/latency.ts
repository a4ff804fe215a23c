/**
 * Latency at a gentle rate: from just before the produce of a CONNECTED to the dispatch in the hands of a consumer. Each
 * connect is of a sensor with one pending task. Beside it the same rate through raw kafkajs: produce -> consume -> produce ->
 * consume, with a process of its own in the middle.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { startTail } from '../src/edges/kafka/tail.ts';
import type { SensorFacts } from '../src/model/records.ts';
import { RawProcess } from './raw-process.ts';
import { percentile } from './stats.ts';
import type { System } from './system.ts';
import { connected } from './workload.ts';

/** Milliseconds. `missing`: connects whose dispatch was not read within the wait. */
export type LatencyRun = { samples: number; missing: number; p50Ms: number; p99Ms: number; maxMs: number };
export type LatencyResult = {
  ratePerSecond: number;
  joiner: LatencyRun;
  raw: LatencyRun;
  p50Ratio: number;
  p99Ratio: number;
};

export type LatencyOptions = {
  system: System;
  /** Sensors with one pending task each. */
  sensors: { oid: string; sid: string; facts: SensorFacts }[];
  ratePerSecond: number;
  seconds: number;
  note(line: string): void;
};

/** The first records meet cold code and connections just made. */
const WARM_UP_SECONDS = 2;
const LAST_WAIT_MS = 5_000;

export async function measureLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { system, sensors, ratePerSecond, seconds, note } = options;
  note(`latency of the joiner: ${ratePerSecond} connects/s for ${seconds} s`);
  const send = (name: string, n: number) => {
    const sensor = sensors[n % sensors.length] as LatencyOptions['sensors'][number];
    const value = system.codec.encode('SensorPresence', connected(sensor, name, Date.now()));
    return system.produce(system.topics.presence, [{ key: sensor.sid, value }]);
  };
  const nameIn = (value: Buffer) => system.codec.decode('TaskDispatch', value).connection_id;
  const joiner = await flow(system, system.topics.dispatch, ratePerSecond, seconds, send, nameIn);

  note('latency of raw kafkajs at the same rate');
  const [there, back] = [`${system.prefix}raw-there`, `${system.prefix}raw-back`];
  const numPartitions = (await system.ends('dispatch')).size;
  await system.admin.createTopics({
    waitForLeaders: true,
    topics: [there, back].map((topic) => ({ topic, numPartitions, replicationFactor: 1 })),
  });
  const relay = new RawProcess(system, 'relay');
  const from = Array.from({ length: numPartitions }, (_, partition): [number, number] => [partition, 0]);
  await relay.relay({ kind: 'relay', topic: there, to: back, from });
  const filler = Buffer.alloc(200, ' ');
  const sendRaw = (name: string, n: number) =>
    system.produce(there, [
      { key: sensors[n % sensors.length]?.sid ?? '', value: Buffer.concat([Buffer.from(name), filler]) },
    ]);
  const raw = await flow(system, back, ratePerSecond, seconds, sendRaw, (value) => value.toString('latin1').trimEnd());
  await relay.stop();
  return { ratePerSecond, joiner, raw, p50Ratio: joiner.p50Ms / raw.p50Ms, p99Ratio: joiner.p99Ms / raw.p99Ms };
}

async function flow(
  system: System,
  readFrom: string,
  ratePerSecond: number,
  seconds: number,
  send: (name: string, n: number) => Promise<void>,
  nameIn: (value: Buffer) => string,
): Promise<LatencyRun> {
  const sentMs = new Map<string, number>();
  const tookMs: number[] = [];
  const log = pino({ level: 'silent' });
  const onRecords = (records: { value: Buffer | null }[]) => {
    const now = performance.now();
    for (const { value } of records) {
      const at = value === null ? undefined : sentMs.get(nameIn(value));
      if (at === undefined || value === null) continue;
      sentMs.delete(nameIn(value));
      tookMs.push(now - at);
    }
  };
  const tail = await startTail({ kafka: system.kafka, topic: readFrom, from: 'end', onRecords, log, maxWaitMs: 50 });
  try {
    await paced(ratePerSecond, WARM_UP_SECONDS, (n) => send(randomUUID(), n));
    await paced(ratePerSecond, seconds, (n) => {
      const name = randomUUID();
      sentMs.set(name, performance.now());
      return send(name, n);
    });
    for (const until = performance.now() + LAST_WAIT_MS; sentMs.size > 0 && performance.now() < until; )
      await sleep(20);
  } finally {
    await tail.stop();
  }
  const [p50Ms, p99Ms, maxMs] = [percentile(tookMs, 0.5), percentile(tookMs, 0.99), Math.max(...tookMs)];
  return { samples: tookMs.length, missing: sentMs.size, p50Ms, p99Ms, maxMs };
}

/** Calls `send` so many times a second by the clock, whether or not earlier calls have ended; waits for all at the end. */
async function paced(ratePerSecond: number, seconds: number, send: (n: number) => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  const total = Math.round(ratePerSecond * seconds);
  const open: Promise<void>[] = [];
  for (let n = 0; n < total; n += 1) {
    const waitMs = startedMs + (n * 1000) / ratePerSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    open.push(send(n));
  }
  await Promise.all(open);
}
