/**
 * The rebuild of a projection: commands and as many acknowledgements stand on the log, Redis loses what it has of the org,
 * and the clock runs until the projector has made it usable again. Beside it, in turns, raw kafkajs reads the same two topics
 * and counts. A rebuild waits two leases before it reads where the logs end, and reads and applies meanwhile.
 */
import { randomUUID } from 'node:crypto';
import { eventId } from '../src/model/ids.ts';
import type { TaskCommand, TaskEvent } from '../src/model/records.ts';
import { expiryOf } from '../src/model/task.ts';
import type { Bench, Context, Result } from './bench.ts';
import { type Child, until } from './child.ts';
import { RawProcess } from './raw-process.ts';
import { figure, median, type Spread, spread } from './stats.ts';
import { System } from './system.ts';

const REBUILD_MS = 300_000;
const LOOK_MS = 10;

type Rebuilt = { seconds: number; cpuSeconds: number; redisCpuSeconds: number };
type Run = Rebuilt & { rawSeconds: number; rawCpuSeconds: number };

export const rebuildBench: Bench = {
  summary: 'time to bring an emptied Redis back, beside raw kafkajs reading the same topics',
  run: async (context) => {
    const system = new System(context, 1);
    try {
      return await measure(context, system);
    } finally {
      await system.stop();
    }
  },
};

async function measure({ flags, note }: Context, system: System): Promise<Result> {
  const tasks = flags.tasks ?? (flags.quick ? 10_000 : 100_000);
  const runs = flags.runs ?? (flags.quick ? 1 : 3);
  await system.start();
  note(`${tasks} commands and ${tasks} acknowledgements are written`);
  await write(system, tasks);
  const projector = await system.startRole('projector');
  const raw = new RawProcess(system, 'raw');
  const results: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    note(`run ${run + 1} of ${runs}`);
    results.push({ ...(await rebuild(system, projector)), ...(await readRaw(system, raw, tasks)) });
  }
  await raw.stop();
  return resultOf(tasks, results);
}

async function write(system: System, tasks: number): Promise<void> {
  const oid = system.oids[0] as string;
  const commands = Array.from({ length: tasks }, (_, i) => commandOf(oid, i));
  await system.produce(
    system.topics.commands,
    commands.map((command) => ({ key: command.task_id, value: system.codec.encode('TaskCommand', command) })),
  );
  const headers = { 'rt-epoch': 'an earlier one' };
  await system.produce(
    system.topics.taskEvents,
    commands.map((command) => ({
      key: command.task_id,
      value: system.codec.encode('TaskEvent', doneOf(command)),
      headers,
    })),
  );
}

const commandOf = (oid: string, i: number): TaskCommand => ({
  action: 'TASK',
  oid,
  task_id: randomUUID(),
  task: 'os_version',
  selector: `sid == "sensor-${i}"`,
  context: null,
  ttl: 86_400,
  issued_at: Date.now(),
  issued_by: 'bench',
  untask_selector: null,
  options: null,
});

const doneOf = (command: TaskCommand): TaskEvent => {
  const sid = /"(.+)"/.exec(command.selector ?? '')?.[1] as string;
  return {
    type: 'TASK_DONE',
    event_id: eventId('TASK_DONE', command.oid, command.task_id, sid, 1),
    oid: command.oid,
    task_id: command.task_id,
    sid,
    attempt: 1,
    occurred_at: command.issued_at,
    detail: JSON.stringify({ expires_at: expiryOf(command) }),
  };
};

/** From the loss to the marker that says that everything is there. */
async function rebuild(system: System, projector: Child): Promise<Rebuilt> {
  const marker = `{${system.oids[0]}}:m`;
  const keys: string[] = [];
  for await (const page of system.redis.scanStream({ match: `{${system.oids[0]}}:*`, count: 5_000 }))
    keys.push(...(page as string[]));
  for (let at = 0; at < keys.length; at += 5_000) {
    const part = keys.slice(at, at + 5_000).filter((key) => key !== marker);
    if (part.length > 0) await system.redis.unlink(...part);
  }
  const [cpuBefore, redisBefore] = [projector.cpuSeconds(), await redisCpuSeconds(system)];
  const startedMs = performance.now();
  await system.redis.unlink(marker);
  const usable = async () => ((await system.redis.hexists(marker, 'r')) ? true : undefined);
  await until('the projection is rebuilt', projector, REBUILD_MS, usable, LOOK_MS);
  const seconds = (performance.now() - startedMs) / 1_000;
  const redisCpu = (await redisCpuSeconds(system)) - redisBefore;
  return { seconds, cpuSeconds: projector.cpuSeconds() - cpuBefore, redisCpuSeconds: redisCpu };
}

/** User and system time of Redis, all its threads. */
async function redisCpuSeconds({ redis }: System): Promise<number> {
  const found = (await redis.info('cpu')).matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm);
  return [...found].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

async function readRaw(system: System, raw: RawProcess, records: number) {
  const total = { rawSeconds: 0, rawCpuSeconds: 0 };
  for (const key of ['commands', 'taskEvents'] as const) {
    const partitions = [...(await system.ends(key)).keys()];
    const from = partitions.map((partition): [number, number] => [partition, 0]);
    const topic = system.topics[key];
    const { seconds, cpuSeconds } = await raw.pass({
      kind: 'count',
      topic,
      from,
      records,
      to: topic,
      share: 0,
      bytes: 0,
    });
    total.rawSeconds += seconds;
    total.rawCpuSeconds += cpuSeconds;
  }
  return total;
}

function resultOf(tasks: number, runs: Run[]): Result {
  const of = (value: (run: Run) => number): Spread => spread(runs.map(value));
  const text = ({ median: middle, min, max }: Spread) => [figure(middle), figure(min), figure(max)];
  const rows: [string, Spread][] = [
    ['rebuild, seconds', of(({ seconds }) => seconds)],
    ['rebuild, CPU seconds of the projector', of(({ cpuSeconds }) => cpuSeconds)],
    ['rebuild, CPU seconds of Redis', of(({ redisCpuSeconds: cpu }) => cpu)],
    ['raw kafkajs, seconds for both topics', of(({ rawSeconds }) => rawSeconds)],
    ['raw kafkajs, CPU seconds', of(({ rawCpuSeconds }) => rawCpuSeconds)],
    ['rebuild : raw, seconds', of(({ seconds, rawSeconds }) => seconds / rawSeconds)],
    ['rebuild : raw, CPU seconds', of(({ cpuSeconds, rawCpuSeconds }) => cpuSeconds / rawCpuSeconds)],
  ];
  return {
    data: { tasks, acks: tasks, runs, records_per_second: (2 * tasks) / median(runs.map(({ seconds }) => seconds)) },
    sections: [
      {
        title: `Rebuild of ${tasks.toLocaleString('en-US')} commands and as many acknowledgements`,
        headers: ['', 'median', 'lowest', 'highest'],
        rows: rows.map(([name, values]) => [name, ...text(values)]),
        notes: [`${runs.length} runs in turns; raw kafkajs reads one topic after the other.`],
      },
    ],
  };
}
