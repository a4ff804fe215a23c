/**
 * Throughput: all sensors connect at once. The joiner is stopped in the middle of nothing (SIGSTOP), the connects are written,
 * and the clock runs from its going on to its last commit. The first storm enrols the fleet (facts are new, the program is
 * cold) and is told apart; the others are reconnects, each followed by raw kafkajs on the very same records.
 */
import { randomUUID } from 'node:crypto';
import type { OutRecord } from '../src/edges/kafka/producer.ts';
import type { Child } from './child.ts';
import { until } from './child.ts';
import type { RawProcess } from './raw-process.ts';
import { type Spread, spread } from './stats.ts';
import { type System, sumOf } from './system.ts';
import { type BenchSensor, connected } from './workload.ts';

/** One storm. `dispatches` were on the log before the last commit; as many TASK_SENT were written. */
export type StormRun = {
  connects: number;
  dispatches: number;
  seconds: number;
  cpuSeconds: number;
  connectsPerSecond: number;
  dispatchesPerSecond: number;
  connectsPerCpuSecond: number;
};

export type StormDelivery = {
  joiner: StormRun;
  rawConsumePerSecond: number;
  rawForwardPerSecond: number;
  rawForwardPerCpuSecond: number;
};

/** Ratios are taken within each run, and then their median: noise that lasts longer than a run cancels out. */
export type StormResult = {
  enrolment: StormRun;
  runs: StormDelivery[];
  connectsPerSecond: Spread;
  dispatchesPerSecond: Spread;
  connectsPerCpuSecond: Spread;
  rawConsumePerSecond: Spread;
  rawForwardPerSecond: Spread;
  joinerToRawConsume: Spread;
  joinerToRawForward: Spread;
  joinerToRawForwardPerCpu: Spread;
};

const STORM_MS = 300_000;
const LOOK_MS = 25;

export type StormOptions = {
  system: System;
  joiner: Child;
  raw: RawProcess;
  sensors: BenchSensor[];
  connects: number;
  runs: number;
  note(line: string): void;
};

export async function measureStorms(options: StormOptions): Promise<StormResult> {
  const { system, raw, note } = options;
  const scratch = `${system.prefix}scratch`;
  await system.admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: scratch, numPartitions: (await system.ends('dispatch')).size, replicationFactor: 1 }],
  });
  note('enrolment: every sensor connects for the first time');
  const first = await storm({ ...options, connects: options.sensors.length });
  await besides(raw, first, scratch, system); // warms it up, as the enrolment does the joiner
  const runs: StormDelivery[] = [];
  for (let n = 1; n <= options.runs; n += 1) {
    note(`storm ${n} of ${options.runs}`);
    const done = await storm(options);
    runs.push({ joiner: done.run, ...(await besides(raw, done, scratch, system)) });
  }
  const of = (pick: (delivery: StormDelivery) => number) => spread(runs.map(pick));
  return {
    enrolment: first.run,
    runs,
    connectsPerSecond: of(({ joiner }) => joiner.connectsPerSecond),
    dispatchesPerSecond: of(({ joiner }) => joiner.dispatchesPerSecond),
    connectsPerCpuSecond: of(({ joiner }) => joiner.connectsPerCpuSecond),
    rawConsumePerSecond: of((delivery) => delivery.rawConsumePerSecond),
    rawForwardPerSecond: of((delivery) => delivery.rawForwardPerSecond),
    joinerToRawConsume: of((delivery) => delivery.joiner.connectsPerSecond / delivery.rawConsumePerSecond),
    joinerToRawForward: of((delivery) => delivery.joiner.connectsPerSecond / delivery.rawForwardPerSecond),
    joinerToRawForwardPerCpu: of((delivery) => delivery.joiner.connectsPerCpuSecond / delivery.rawForwardPerCpuSecond),
  };
}

type Done = { run: StormRun; from: [number, number][]; dispatchBytes: number };

/** Connects of the sensors in turn, each with a connection of its own. */
export const connectRecords = ({ codec }: System, sensors: BenchSensor[], connects: number): OutRecord[] =>
  Array.from({ length: connects }, (_, i) => {
    const sensor = sensors[i % sensors.length] as BenchSensor;
    return { key: sensor.sid, value: codec.encode('SensorPresence', connected(sensor, randomUUID(), Date.now())) };
  });

async function storm({ system, joiner, sensors, connects }: StormOptions): Promise<Done> {
  const records = connectRecords(system, sensors, connects);
  const [from, sentBefore] = await Promise.all([system.ends('presence'), system.ends('dispatch')]);
  joiner.pause();
  let goal: Map<number, number>;
  try {
    await system.produce(system.topics.presence, records);
    goal = await system.ends('presence');
  } finally {
    joiner.goOn();
  }
  const [startedMs, cpuBefore] = [performance.now(), joiner.cpuSeconds()];
  await until('the joiner handles the storm', joiner, STORM_MS, () => reached(system, goal), LOOK_MS);
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuSeconds = joiner.cpuSeconds() - cpuBefore;
  const dispatches = sumOf(await system.ends('dispatch')) - sumOf(sentBefore);
  return {
    from: [...from],
    dispatchBytes: dispatchBytes(system),
    run: {
      connects,
      dispatches,
      seconds,
      cpuSeconds,
      connectsPerSecond: connects / seconds,
      dispatchesPerSecond: dispatches / seconds,
      connectsPerCpuSecond: connects / cpuSeconds,
    },
  };
}

/** The joiner has committed presence up to `goal`. */
export async function reached(system: System, goal: Map<number, number>): Promise<true | undefined> {
  const committed = await system.committed();
  return [...goal].every(([partition, end]) => end === 0 || (committed.get(partition) ?? 0) >= end) || undefined;
}

/** Raw kafkajs on the records of this storm: reading alone, and reading with as many records written as there were dispatches. */
async function besides(raw: RawProcess, { run, from, dispatchBytes }: Done, to: string, system: System) {
  const job = {
    topic: system.topics.presence,
    from,
    records: run.connects,
    to,
    share: run.dispatches / run.connects,
    bytes: dispatchBytes,
  };
  const count = await raw.pass({ kind: 'count', ...job });
  const forward = await raw.pass({ kind: 'forward', ...job });
  return {
    rawConsumePerSecond: run.connects / count.seconds,
    rawForwardPerSecond: run.connects / forward.seconds,
    rawForwardPerCpuSecond: run.connects / forward.cpuSeconds,
  };
}

/** The size of a dispatch of this workload, encoded. */
function dispatchBytes({ codec, oids }: System): number {
  const [oid, now] = [oids[0] as string, Date.now()];
  return codec.encode('TaskDispatch', {
    dispatch_id: 'x'.repeat(32),
    oid,
    sid: oid,
    task_id: 'task-1000',
    task: 'history_dump',
    investigation_id: 'bench/task-1000',
    attempt: 1,
    connection_id: oid,
    dispatched_at: now,
    expires_at: now,
  }).length;
}
