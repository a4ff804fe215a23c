/** The joiner: connects per second in a storm (storm.ts), and how long a dispatch takes at a gentle rate (latency.ts). */
import type { Bench, Context, Result, Section } from './bench.ts';
import { type LatencyResult, measureLatency } from './latency.ts';
import { costsOf, readNewestProfile } from './profile.ts';
import { RawProcess } from './raw-process.ts';
import { measureRestart, type RestartResult } from './restart.ts';
import { figure, spreadText } from './stats.ts';
import { measureStorms, type StormResult } from './storm.ts';
import { System } from './system.ts';
import { factsOf, sensorAt, taskOf, tasksFor } from './workload.ts';

/** `--sensors` as many as `--connects`: each connects once in a storm, and none of its connects overrides another. */
const FULL = { orgs: 2, tasks: 1_000, sensors: 10_000, connects: 50_000, runs: 3, ratePerSecond: 200, seconds: 10 };
const QUICK = { orgs: 2, tasks: 1_000, sensors: 10_000, connects: 10_000, runs: 1, ratePerSecond: 200, seconds: 4 };
const LATENCY_SENSORS = 500;
const TOP = 30;

type Sizes = typeof FULL;

export const joinerBench: Bench = {
  summary: 'connects/s in a reconnect storm, and connect → dispatch latency, beside raw kafkajs',
  run: async (context) => {
    const sizes = sizesOf(context.flags);
    const system = new System(context, sizes.orgs);
    const stop = () => void system.stop();
    context.stopped.addEventListener('abort', stop, { once: true });
    try {
      return await measure(system, sizes, context);
    } finally {
      context.stopped.removeEventListener('abort', stop);
      await system.stop();
    }
  },
};

function sizesOf(flags: Context['flags']): Sizes {
  const sizes: Sizes = { ...(flags.quick ? QUICK : FULL) };
  for (const name of Object.keys(sizes) as (keyof Sizes)[]) sizes[name] = flags[name] ?? sizes[name];
  return sizes;
}

async function measure(system: System, sizes: Sizes, { flags, note }: Context): Promise<Result> {
  note('topics, orgs, processes');
  await system.start();
  const profile = flags.profileFolder;
  const joiner = await system.startRole('joiner', profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  note(`${sizes.tasks} tasks`);
  const sensors = Array.from({ length: sizes.sensors }, (_, i) => sensorAt(i, system.oids, sizes));
  const gentle = Array.from({ length: LATENCY_SENSORS }, (_, i) => ({
    oid: system.oids[0] as string,
    sid: `gentle-${i}`,
    facts: factsOf(i, ['gentle']),
  }));
  const nowMs = Date.now();
  const own = gentle.map(({ oid, sid }) => taskOf(oid, `task-${sid}`, `sid == "${sid}"`, nowMs));
  await system.queue([...tasksFor(system.oids, sizes, nowMs), ...own], joiner);
  const raw = new RawProcess(system, 'raw');
  const storms = await measureStorms({ system, joiner, raw, ...sizes, sensors, note });
  await raw.stop();
  const { ratePerSecond, seconds } = sizes;
  const latency = await measureLatency({ system, sensors: gentle, ratePerSecond, seconds, note });
  await joiner.stop();
  const restart = await measureRestart({
    system,
    sensors,
    connects: sizes.connects,
    deliveries: storms.enrolment.dispatches,
    note,
  });
  const sections = [stormSection(storms, sizes), restartSection(restart), latencySection(latency)];
  if (profile) sections.push(profileSection(profile));
  return { data: { sizes, storms, restart, latency }, sections };
}

function stormSection(storms: StormResult, sizes: Sizes): Section {
  const { enrolment, runs } = storms;
  const perConnect = runs.reduce((sum, { joiner }) => sum + joiner.dispatches / joiner.connects, 0) / runs.length;
  return {
    title: `Reconnect storm: ${sizes.connects.toLocaleString('en-US')} connects of ${sizes.sensors.toLocaleString('en-US')} sensors, ${sizes.tasks.toLocaleString('en-US')} tasks, ${sizes.orgs} orgs, ${runs.length} runs`,
    headers: ['', 'median (min–max)'],
    rows: [
      ['joiner, connects/s', spreadText(storms.connectsPerSecond)],
      ['joiner, dispatches/s', spreadText(storms.dispatchesPerSecond)],
      ['joiner, connects per CPU second', spreadText(storms.connectsPerCpuSecond)],
      ['raw kafkajs, consume, records/s', spreadText(storms.rawConsumePerSecond)],
      ['raw kafkajs, consume → produce, records read/s', spreadText(storms.rawForwardPerSecond)],
      ['joiner : raw consume', spreadText(storms.joinerToRawConsume)],
      ['joiner : raw consume → produce', spreadText(storms.joinerToRawForward)],
      ['the same per CPU second', spreadText(storms.joinerToRawForwardPerCpu)],
      ['enrolment (first connects, cold), connects/s', figure(enrolment.connectsPerSecond)],
    ],
    notes: [`A connect found ${figure(perConnect)} pending tasks; each gave a dispatch and a TASK_SENT.`],
  };
}

function restartSection(restart: RestartResult): Section {
  const { connects, dispatches, joinSeconds, seconds, cpuSeconds, connectsPerSecond } = restart;
  return {
    title: `Restart: ${connects.toLocaleString('en-US')} connects were written while no joiner ran`,
    headers: ['', ''],
    rows: [
      ['process start → in its group, s', figure(joinSeconds)],
      ['in its group → last commit and last dispatch, s', figure(seconds)],
      ['connects/s of that time', figure(connectsPerSecond)],
      ['dispatches', dispatches.toLocaleString('en-US')],
      ['CPU seconds, start included', figure(cpuSeconds)],
    ],
    notes: [],
  };
}

function latencySection({ ratePerSecond, joiner, raw, p50Ratio, p99Ratio }: LatencyResult): Section {
  const row = (name: string, { samples, p50Ms, p99Ms, maxMs }: LatencyResult['raw']) => [
    name,
    figure(p50Ms),
    figure(p99Ms),
    figure(maxMs),
    String(samples),
  ];
  const missing = joiner.missing + raw.missing;
  return {
    title: `Latency at ${ratePerSecond} connects/s`,
    headers: ['', 'p50 ms', 'p99 ms', 'max ms', 'samples'],
    rows: [
      row('connect → dispatch read', joiner),
      row('raw kafkajs, produce → consume → produce → consume', raw),
      ['ratio', figure(p50Ratio), figure(p99Ratio), '', ''],
    ],
    notes: missing === 0 ? [] : [`${missing} records were never read back.`],
  };
}

function profileSection(folder: string): Section {
  return {
    title: 'Where the joiner spent its CPU time (self time, start and set-up included)',
    headers: ['share', 'ms', 'function'],
    rows: costsOf(readNewestProfile(folder))
      .slice(0, TOP)
      .map(({ name, ms, share }) => [`${(share * 100).toFixed(1)} %`, ms.toFixed(0), name]),
    notes: [`The profile is in ${folder}.`],
  };
}
