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
/** Both ways are measured in turns, so that others on the machine disturb both. */
const TURNS = 4;
/** About the size of a presence record. */
const FILLER_BYTES = 200;

export async function measureLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { ratePerSecond, seconds, note } = options;
  const [joiner, raw] = [await openJoiner(options), await openRaw(options)];
  try {
    note(`latency: ${ratePerSecond} connects/s for ${seconds} s, and the same through raw kafkajs, in turns`);
    for (const flow of [joiner, raw]) await paced(ratePerSecond, WARM_UP_SECONDS, (n) => flow.send(randomUUID(), n));
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const flow of [joiner, raw]) await paced(ratePerSecond, seconds / TURNS, (n) => timed(flow, n));
    }
  } finally {
    await Promise.all([joiner.close(), raw.close()]);
  }
  const [ours, theirs] = [summary(joiner), summary(raw)];
  const ratios = { p50Ratio: ours.p50Ms / theirs.p50Ms, p99Ratio: ours.p99Ms / theirs.p99Ms };
  return { ratePerSecond, joiner: ours, raw: theirs, ...ratios };
}

function openJoiner({ system, sensors }: LatencyOptions): Promise<Flow> {
  const send = (name: string, n: number) => {
    const sensor = sensors[n % sensors.length] as LatencyOptions['sensors'][number];
    const value = system.codec.encode('SensorPresence', connected(sensor, name, Date.now()));
    return system.produce(system.topics.presence, [{ key: sensor.sid, value }]);
  };
  const nameIn = (value: Buffer) => system.codec.decode('TaskDispatch', value).connection_id;
  return openFlow(system, system.topics.dispatch, send, nameIn, async () => {});
}

async function openRaw({ system, sensors }: LatencyOptions): Promise<Flow> {
  const [there, back] = [`${system.prefix}raw-there`, `${system.prefix}raw-back`];
  const numPartitions = (await system.ends('dispatch')).size;
  await system.admin.createTopics({
    waitForLeaders: true,
    topics: [there, back].map((topic) => ({ topic, numPartitions, replicationFactor: 1 })),
  });
  const relay = new RawProcess(system, 'relay');
  const from = Array.from({ length: numPartitions }, (_, partition): [number, number] => [partition, 0]);
  await relay.relay({ kind: 'relay', topic: there, to: back, from });
  const filler = Buffer.alloc(FILLER_BYTES, ' ');
  const send = (name: string, n: number) => {
    const value = Buffer.concat([Buffer.from(name), filler]);
    return system.produce(there, [{ key: sensors[n % sensors.length]?.sid ?? '', value }]);
  };
  return openFlow(
    system,
    back,
    send,
    (value) => value.toString('latin1').trimEnd(),
    () => relay.stop(),
  );
}

/** A way there and back. `sentMs`: what is under way, by name; `tookMs`: what came back. */
type Flow = {
  sentMs: Map<string, number>;
  tookMs: number[];
  send(name: string, n: number): Promise<void>;
  close(): Promise<void>;
};

async function openFlow(
  system: System,
  readFrom: string,
  send: Flow['send'],
  nameIn: (value: Buffer) => string,
  release: () => Promise<void>,
): Promise<Flow> {
  const sentMs: Flow['sentMs'] = new Map();
  const tookMs: Flow['tookMs'] = [];
  const onRecords = (records: { value: Buffer | null }[]) => {
    const now = performance.now();
    for (const { value } of records) {
      const name = value === null ? '' : nameIn(value);
      const at = sentMs.get(name);
      if (at === undefined) continue;
      sentMs.delete(name);
      tookMs.push(now - at);
    }
  };
  const log = pino({ level: 'silent' });
  const tail = await startTail({ kafka: system.kafka, topic: readFrom, from: 'end', onRecords, log, maxWaitMs: 50 });
  const close = async () => {
    for (const until = performance.now() + LAST_WAIT_MS; sentMs.size > 0 && performance.now() < until; )
      await sleep(20);
    await Promise.all([tail.stop(), release()]);
  };
  return { sentMs, tookMs, send, close };
}

function timed({ sentMs, send }: Flow, n: number): Promise<void> {
  const name = randomUUID();
  sentMs.set(name, performance.now());
  return send(name, n);
}

function summary({ sentMs, tookMs }: Flow): LatencyRun {
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
