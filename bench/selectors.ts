/** Matching one record against many waiting selectors: the index, and beside it a scan by the plain predicates. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Context, Flags, Result, Section } from './bench.ts';
import { startChild, until } from './child.ts';
import { costsOf, readNewestProfile } from './profile.ts';
import type { Mix } from './selector-workload.ts';
import type { Figures, Job } from './selectors-process.ts';
import { figure, median, spread, spreadText } from './stats.ts';

const WITHIN_MS = 600_000;
const TOP = 10;
const SEED = 42;

const MIXES: [Mix, string][] = [
  ['spread', 'values grow with the number of selectors'],
  ['crowded', '200 tags, one pattern of each kind'],
];

/** `--tasks N` measures 100 and N. */
const jobOf = (mix: Mix, { quick, tasks, runs }: Flags): Job => ({
  mix,
  sizes: tasks === undefined ? (quick ? [100, 10_000] : [100, 10_000, 100_000]) : [100, tasks],
  records: quick ? 5_000 : 20_000,
  scanned: quick ? 500_000 : 2_000_000,
  runs: runs ?? (quick ? 3 : 9),
  seed: SEED,
});

export const selectorsBench: Bench = {
  summary: 'one sensor against many waiting selectors; needs no stack',
  stackless: true,
  run,
};

async function run({ flags, note }: Context): Promise<Result> {
  const data: Record<string, Figures[]> = {};
  const sections: Section[] = [];
  for (const [mix, meaning] of MIXES) {
    note(`selectors: ${mix}`);
    data[mix] = await measure(jobOf(mix, flags), flags.profileFolder);
    sections.push(sectionOf(`Selectors, ${mix}: ${meaning}`, data[mix]));
    if (flags.profileFolder !== undefined) sections.push(profileSection(flags.profileFolder));
  }
  return { data, sections };
}

async function measure(job: Job, profileFolder: string | undefined): Promise<Figures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rt-bench-'));
  const nodeFlags = ['--expose-gc', ...(profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : [])];
  const child = startChild('selectors-process.ts', [JSON.stringify(job)], {
    env: {},
    logFile: join(folder, 'log'),
    nodeFlags,
  });
  let figures: Figures[] | undefined;
  child.process.on('message', (message) => {
    ({ figures } = message as { figures: Figures[] });
  });
  try {
    const found = await until('The figures', child, WITHIN_MS, async () => figures);
    if (profileFolder !== undefined && child.process.exitCode === null) await ended(child.process);
    return found;
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true });
  }
}

const ended = (process: NodeJS.EventEmitter) => new Promise((resolve) => process.once('exit', resolve));

function sectionOf(title: string, all: Figures[]): Section {
  const row = (name: string, value: (figures: Figures) => string) => [name, ...all.map(value)];
  const first = all[0] as Figures;
  const ratio = (times: (figures: Figures) => number[]) => (figures: Figures) =>
    spreadText(spread(times(figures).map((time, i) => time / (times(first)[i] as number))));
  return {
    title,
    headers: ['selectors', ...all.map(({ selectors }) => selectors.toLocaleString('en-US'))],
    rows: [
      row('matches a record', ({ matchesPerRecord }) => figure(matchesPerRecord)),
      row('in so many groups', ({ groupsPerRecord }) => figure(groupsPerRecord)),
      row('groups, µs a record', ({ groupsUs }) => spreadText(spread(groupsUs))),
      row('every match, µs a record', ({ matchUs }) => spreadText(spread(matchUs))),
      row('records/s, every match', ({ matchUs }) => figure(1e6 / median(matchUs))),
      row(
        `groups: time to that at ${first.selectors}`,
        ratio(({ groupsUs }) => groupsUs),
      ),
      row(
        `every match: time to that at ${first.selectors}`,
        ratio(({ matchUs }) => matchUs),
      ),
      row('linear scan, µs a record', ({ scanUs }) => spreadText(spread(scanUs))),
      row('linear scan : index, every match', ({ scanUs, matchUs }) => figure(median(scanUs) / median(matchUs))),
      row('parse and insert all, ms', ({ insertMs }) => spreadText(spread(insertMs))),
      row('parse, insert, take out one, µs', ({ changeUs }) => spreadText(spread(changeUs))),
      // Of a few selectors, what the runtime itself allocates hides theirs.
      row('bytes a selector', ({ selectors, bytesPerSelector }) =>
        selectors < 1_000 ? '–' : figure(bytesPerSelector),
      ),
    ],
    notes: ['All times are CPU time of the process, garbage collection in it. Median (min–max).'],
  };
}

function profileSection(folder: string): Section {
  return {
    title: 'Where it spent its CPU time (self time, making the records included)',
    headers: ['share', 'ms', 'function'],
    rows: costsOf(readNewestProfile(folder))
      .slice(0, TOP)
      .map(({ name, ms, share }) => [`${(share * 100).toFixed(1)} %`, ms.toFixed(0), name]),
    notes: [`The profile is in ${folder}.`],
  };
}
