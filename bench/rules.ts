/**
 * Rules: how many events a second the responder reads, looks at and commits, with 10, 100 and 1,000 rules, beside raw kafkajs
 * that only counts the very same records. One rule in ten names the event's type and looks at four values of it; the others
 * name other types. The responder is stopped (SIGSTOP) while events are written, and the clock runs from its going on to
 * its last commit. One event in a thousand matches, and goes to an output: the outputs are counted, so that a responder that
 * passes events over is no figure.
 */
import { randomUUID } from 'node:crypto';
import { settingKey } from '../src/orgs/table.ts';
import { RESPONDER_GROUP } from '../src/responder/responder.ts';
import type { Bench, Context, Result } from './bench.ts';
import { type Child, until } from './child.ts';
import { RawProcess } from './raw-process.ts';
import { figure, type Spread, spread, spreadText } from './stats.ts';
import { System, sumOf } from './system.ts';

const FULL = { events: 200_000, runs: 3 };
const QUICK = { events: 20_000, runs: 1 };
const RULES = [10, 100, 1_000] as const;
const SENSORS = 1_000;
const MATCH_EVERY = 1_000;
const RUN_MS = 300_000;
const LOOK_MS = 25;

type Row = {
  rules: number;
  seen: number;
  perSecond: Spread;
  perCpuSecond: Spread;
  rawPerSecond: Spread;
  ratio: Spread;
};

export const rulesBench: Bench = {
  summary: 'events a second through 10, 100 and 1,000 rules, beside raw kafkajs reading the same records',
  run: async (context) => {
    const system = new System(context, 1);
    const stop = () => void system.stop();
    context.stopped.addEventListener('abort', stop, { once: true });
    try {
      return await measure(system, context);
    } finally {
      context.stopped.removeEventListener('abort', stop);
      await system.stop();
    }
  },
};

async function measure(system: System, { flags, note }: Context): Promise<Result> {
  const defaults = flags.quick ? QUICK : FULL;
  const sizes = { events: flags.connects ?? defaults.events, runs: flags.runs ?? defaults.runs };
  note('topics, org, processes');
  await system.start();
  const raw = new RawProcess(system, 'raw');
  const profile = flags.profileFolder;
  const responder = await system.startRole('responder', profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  await until('the responder has joined', responder, RUN_MS, () => isReady(responder.url));
  const rows: Row[] = [];
  for (const rules of RULES) {
    note(`${rules} rules`);
    await writeRules(system, rules);
    await turn(system, responder, raw, Math.ceil(sizes.events / 10)); // warm, and the rules are compiled
    const found: Awaited<ReturnType<typeof turn>>[] = [];
    for (let run = 0; run < sizes.runs; run += 1) found.push(await turn(system, responder, raw, sizes.events));
    rows.push({
      rules,
      seen: Math.ceil(rules / 10),
      perSecond: spread(found.map((one) => one.perSecond)),
      perCpuSecond: spread(found.map((one) => one.perCpuSecond)),
      rawPerSecond: spread(found.map((one) => one.rawPerSecond)),
      ratio: spread(found.map((one) => one.perSecond / one.rawPerSecond)),
    });
  }
  await raw.stop();
  return { data: { sizes, rows }, sections: [sectionOf(rows, sizes)] };
}

async function isReady(url: string): Promise<true | undefined> {
  return (await fetch(`${url}/readyz`).catch(() => null))?.status === 200 || undefined;
}

const ruleOf = (index: number) => ({
  detect: {
    event: index % 10 === 0 ? 'RECEIPT' : `OTHER_${index}`,
    op: 'and',
    rules: [
      { op: 'starts with', path: 'routing/investigation_id', value: 'audit-' },
      { op: 'is greater than', path: 'event/ERROR', value: -1 },
      { op: 'contains', path: 'event/STDOUT', value: `match-${index}-` },
      { op: 'is windows' },
    ],
  },
  respond: [{ action: 'output', name: 'bench' }],
});

async function writeRules(system: System, count: number): Promise<void> {
  const [oid] = system.oids as [string];
  await system.produce(
    system.topics.orgSettings,
    Array.from({ length: count }, (_, index) => {
      const setting = { oid, kind: 'HIVE' as const, name: `dr-general/rule-${index}`, etag: randomUUID() };
      const value = JSON.stringify({ data: ruleOf(index), usr_mtd: { enabled: true } });
      const record = { ...setting, value, updated_at: Date.now(), updated_by: 'bench' };
      return { key: settingKey(oid, 'HIVE', setting.name), value: system.codec.encode('OrgSetting', record) };
    }),
  );
}

function eventRecords(system: System, count: number) {
  const [oid] = system.oids as [string];
  return Array.from({ length: count }, (_, i) => {
    const sid = `sensor-${i % SENSORS}`;
    const value = system.codec.encode('SensorEvent', {
      oid,
      sid,
      event_type: 'RECEIPT',
      event_id: randomUUID(),
      occurred_at: Date.now(),
      task_id: null,
      investigation_id: `audit-7/${randomUUID()}`,
      routing: JSON.stringify({ hostname: `host-${i % SENSORS}`, plat: 0x10000000, arch: 2, moduleid: 2 }),
      event: JSON.stringify({ ERROR: 0, STDOUT: i % MATCH_EVERY === 0 ? 'match-0-' : 'corp\\alice', STDERR: '' }),
    });
    return { key: sid, value };
  });
}

async function turn(system: System, responder: Child, raw: RawProcess, events: number) {
  const records = eventRecords(system, events);
  const [from, outputsBefore] = await Promise.all([system.ends('sensorEvents'), system.ends('outputs')]);
  responder.pause();
  let goal: Map<number, number>;
  try {
    await system.produce(system.topics.sensorEvents, records);
    goal = await system.ends('sensorEvents');
  } finally {
    responder.goOn();
  }
  const [startedMs, cpuBefore] = [performance.now(), responder.cpuSeconds()];
  await until('the responder has read all', responder, RUN_MS, () => reached(system, goal), LOOK_MS);
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpuSeconds = responder.cpuSeconds() - cpuBefore;
  const outputs = sumOf(await system.ends('outputs')) - sumOf(outputsBefore);
  const expected = Math.ceil(events / MATCH_EVERY);
  if (outputs !== expected) throw new Error(`${outputs} events went to the output, ${expected} match.`);
  const job = { kind: 'count' as const, topic: system.topics.sensorEvents, from: [...from], records: events };
  const counted = await raw.pass({ ...job, to: '', share: 0, bytes: 0 });
  return { perSecond: events / seconds, perCpuSecond: events / cpuSeconds, rawPerSecond: events / counted.seconds };
}

async function committed(system: System): Promise<Map<number, number>> {
  const groupId = system.prefix + RESPONDER_GROUP;
  const [topic] = await system.admin.fetchOffsets({ groupId, topics: [system.topics.sensorEvents] });
  return new Map(topic?.partitions.map(({ partition, offset }) => [partition, Number(offset)]) ?? []);
}

async function reached(system: System, goal: Map<number, number>): Promise<true | undefined> {
  const found = await committed(system);
  return [...goal].every(([partition, end]) => end === 0 || (found.get(partition) ?? 0) >= end) || undefined;
}

const sectionOf = (rows: Row[], sizes: typeof FULL) => ({
  title: `Rules on ${sizes.events.toLocaleString('en-US')} receipts, ${sizes.runs} runs, median (min–max)`,
  headers: ['rules', 'of them on receipts', 'events/s', 'per CPU second', 'raw consume, records/s', 'responder : raw'],
  rows: rows.map(({ rules, seen, perSecond, perCpuSecond, rawPerSecond, ratio }) => [
    ...[figure(rules), figure(seen), spreadText(perSecond), spreadText(perCpuSecond), spreadText(rawPerSecond)],
    spreadText(ratio),
  ]),
  notes: [
    `One event in ${MATCH_EVERY} matches and is written to an output. CPU time is counted in hundredths of a second.`,
  ],
});
