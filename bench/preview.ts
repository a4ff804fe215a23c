/**
 * `preview` over HTTP: how long a selector takes over all sensors of one org, from the request to the whole answer, beside
 * the bare HSCAN of the same rows by ioredis (partitions at the same time, pages of the same size). In turns, so that other
 * work on the machine disturbs both alike. The answer is checked: a preview that counts wrongly is no figure.
 */
import { performance } from 'node:perf_hooks';
import type { Bench, Context, Result } from './bench.ts';
import { type Child, until } from './child.ts';
import { figure, type Spread, spread, spreadText } from './stats.ts';
import { System } from './system.ts';
import { type BenchSensor, connected, factsOf } from './workload.ts';

const FULL = { sensors: 100_000, runs: 9 };
const QUICK = { sensors: 20_000, runs: 3 };
const ENROL_MS = 300_000;
const SCAN_COUNT = 2_000;
const PARTITIONS = 8;

/** What is asked, and which of the fleet match it. */
const QUESTIONS: readonly { selector: string; matches(i: number): boolean }[] = [
  { selector: '*', matches: () => true },
  { selector: 'plat == windows and "site-7" in tags', matches: (i) => i % 5 < 3 && i % 37 === 7 },
  { selector: "hostname matches '^host-7'", matches: (i) => String(i).startsWith('7') },
  { selector: 'plat == linux and arch == x64 and kernel == true', matches: (i) => i % 5 === 3 },
  { selector: 'hostname == "host-42.example.org"', matches: (i) => i === 42 },
];

type Row = { selector: string; matched: number; ms: Spread; scanMs: Spread; ratio: Spread; cpuMs: Spread };

export const previewBench: Bench = {
  summary: 'how long preview takes over all sensors of one org, beside the bare HSCAN of the same rows',
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
  const sizes = { sensors: flags.sensors ?? defaults.sensors, runs: flags.runs ?? defaults.runs };
  note('topics, org, processes');
  await system.start();
  const profile = flags.profileFolder;
  await system.startRole('projector');
  const joiner = await system.startRole('joiner');
  const api = await system.startRole('api', profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  note(`${sizes.sensors} sensors enrol`);
  await enrol(system, joiner, sizes.sensors);
  const ask = await asker(system, api.url);
  const rows: Row[] = [];
  for (const { selector, matches } of QUESTIONS) {
    note(selector);
    const expected = Array.from({ length: sizes.sensors }, (_, i) => i).filter(matches).length;
    rows.push(await turns(selector, expected, sizes.runs, { ask, api, scan: () => scanAll(system) }));
  }
  await api.stop();
  return { data: { sizes, rows }, sections: [sectionOf(rows, sizes)] };
}

async function enrol(system: System, joiner: Child, count: number): Promise<void> {
  const [oid] = system.oids as [string];
  const sensors = Array.from({ length: count }, (_, i): BenchSensor => {
    const sid = `${String(i).padStart(8, '0')}-5a0e-4b1c-9f5e-0c9d4b1f7a10`;
    return { oid, sid, facts: factsOf(i, [`group-${i % 200}`, `site-${i % 37}`]) };
  });
  const nowMs = Date.now();
  await system.produce(
    system.topics.presence,
    sensors.map((sensor) => ({
      key: sensor.sid,
      value: system.codec.encode('SensorPresence', connected(sensor, `connection-${sensor.sid}`, nowMs)),
    })),
  );
  await until('all sensors are in Redis', joiner, ENROL_MS, async () => {
    const counts = await Promise.all(partitions().map((p) => system.redis.hlen(`{${oid}}:f:${p}`)));
    return counts.reduce((sum, n) => sum + n, 0) === count || undefined;
  });
}

const partitions = () => Array.from({ length: PARTITIONS }, (_, partition) => partition);

type Ask = (selector: string) => Promise<{ ms: number; matched: number }>;

async function asker(system: System, url: string): Promise<Ask> {
  const [oid] = system.oids as [string];
  const post = async (path: string, body: object, headers = {}) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { jwt?: string; data?: { total_sensors: number } };
  };
  const { jwt } = await post('/', { oid, secret: system.apiKey });
  return async (selector) => {
    const startedMs = performance.now();
    const { data } = await post(
      '/v1/extension/request/ext-reliable-tasking',
      { oid, action: 'preview', data: { selector } },
      { authorization: `Bearer ${jwt}` },
    );
    return { ms: performance.now() - startedMs, matched: data?.total_sensors ?? -1 };
  };
}

/** The bare scan; answers its milliseconds. */
async function scanAll({ redis, oids: [oid] }: System): Promise<number> {
  const startedMs = performance.now();
  await Promise.all(
    partitions().map(async (partition) => {
      let cursor = '0';
      do {
        const [next] = await redis.hscanBuffer(`{${oid}}:f:${partition}`, cursor, 'COUNT', SCAN_COUNT);
        cursor = String(next);
      } while (cursor !== '0');
    }),
  );
  return performance.now() - startedMs;
}

async function turns(
  selector: string,
  expected: number,
  runs: number,
  { ask, api, scan }: { ask: Ask; api: Child; scan(): Promise<number> },
): Promise<Row> {
  await ask(selector); // warm
  await scan();
  const found: { ms: number; scanMs: number; cpuMs: number }[] = [];
  for (let run = 0; run < runs; run += 1) {
    const cpuBefore = api.cpuSeconds();
    const { ms, matched } = await ask(selector);
    const cpuMs = (api.cpuSeconds() - cpuBefore) * 1_000;
    if (matched !== expected) throw new Error(`${selector}: preview counted ${matched}, there are ${expected}.`);
    found.push({ ms, cpuMs, scanMs: await scan() });
  }
  return {
    selector,
    matched: expected,
    ms: spread(found.map(({ ms }) => ms)),
    scanMs: spread(found.map(({ scanMs }) => scanMs)),
    ratio: spread(found.map(({ ms, scanMs }) => ms / scanMs)),
    cpuMs: spread(found.map(({ cpuMs }) => cpuMs)),
  };
}

const sectionOf = (rows: Row[], sizes: typeof FULL) => ({
  title: `Preview of ${sizes.sensors.toLocaleString('en-US')} sensors in one org, ${sizes.runs} runs, median (min–max)`,
  headers: ['selector', 'match', 'preview, ms', 'CPU of the api, ms', 'bare HSCAN, ms', 'preview : HSCAN'],
  rows: rows.map(({ selector, matched, ms, cpuMs, scanMs, ratio }) => [
    selector,
    figure(matched),
    spreadText(ms),
    spreadText(cpuMs),
    spreadText(scanMs),
    spreadText(ratio),
  ]),
  notes: ['CPU time is counted in hundredths of a second.'],
});
