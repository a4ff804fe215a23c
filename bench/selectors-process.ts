/**
 * The process of the selector benchmark: one mix, all sizes in turns, so that what else the machine does disturbs them alike.
 * Started with --expose-gc; sends its figures to its parent.
 */

import { SelectorSet } from '../src/selector/engine/selector-set.ts';
import { compileSelector } from '../src/selector/evaluate/compile.ts';
import { parseSelector } from '../src/selector/language/parse.ts';
import type { SelectorRecord } from '../src/selector/predicate.ts';
import { type Mix, randomFrom, selectorsOf, sensorOf, valuesOf } from './selector-workload.ts';

/** `scanned`: evaluations of a selector that each linear scan may take, over all its records. */
export type Job = { mix: Mix; sizes: number[]; records: number; scanned: number; runs: number; seed: number };

/** Times are CPU time of the whole process, with the garbage collector's threads. */
export type Figures = {
  selectors: number;
  matchesPerRecord: number;
  groupsPerRecord: number;
  bytesPerSelector: number;
  /** From text: parse and insert all. */
  insertMs: number[];
  /** From text: parse, insert and take out one. */
  changeUs: number[];
  /** A record: the groups that match, and all that match one by one. */
  groupsUs: number[];
  matchUs: number[];
  /** A record, by asking the plain predicate of every selector. */
  scanUs: number[];
};

type Subject = { figures: Figures; set: SelectorSet<number>; job: Job };

/** Of what takes longer than matching. */
const OTHER_RUNS = 3;

const collect = globalThis.gc as () => void;
let seen = 0;

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function filled({ mix, seed }: Job, selectors: number): SelectorSet<number> {
  const set = new SelectorSet<number>();
  let i = 0;
  for (const text of selectorsOf(mix, selectors, seed)) {
    set.add(`task-${i}`, parseSelector(text), i);
    i += 1;
  }
  return set;
}

function subjectOf(job: Job, selectors: number): Subject {
  collect();
  const before = process.memoryUsage().heapUsed;
  const set = filled(job, selectors);
  collect();
  const bytesPerSelector = (process.memoryUsage().heapUsed - before) / selectors;
  const found = { groups: 0, matches: 0 };
  const some = recordsOf(job, selectors, -1);
  for (const record of some) {
    found.groups += set.matchGroups(record).length;
    found.matches += set.match(record).length;
  }
  const figures: Figures = {
    selectors,
    bytesPerSelector,
    insertMs: [],
    changeUs: [],
    groupsUs: [],
    matchUs: [],
    scanUs: [],
    matchesPerRecord: found.matches / some.length,
    groupsPerRecord: found.groups / some.length,
  };
  return { figures, set, job };
}

/** Fresh records, each with texts of its own, as if just decoded. */
function recordsOf({ mix, records, seed }: Job, selectors: number, run: number): SelectorRecord[] {
  const random = randomFrom(seed + 1000 * (run + 1));
  const { sensors } = valuesOf(mix, selectors);
  return Array.from({ length: records }, () => sensorOf(mix, selectors, Math.floor(random() * sensors)));
}

function timed(all: readonly SelectorRecord[], look: (record: SelectorRecord) => number): number {
  collect();
  const start = cpuUs();
  for (let i = 0; i < all.length; i += 1) seen += look(all[i] as SelectorRecord);
  return (cpuUs() - start) / all.length;
}

function measureMatching({ figures, set, job }: Subject, run: number): void {
  const { selectors } = figures;
  figures.groupsUs.push(timed(recordsOf(job, selectors, run), (record) => set.matchGroups(record).length));
  figures.matchUs.push(timed(recordsOf(job, selectors, run), (record) => set.match(record).length));
}

/** Also holds both answers against each other. */
function measureScan({ figures, set, job }: Subject, run: number): void {
  const { selectors } = figures;
  const texts = [...selectorsOf(job.mix, selectors, job.seed)];
  const predicates = texts.map((text) => compileSelector(parseSelector(text)));
  const records = Math.min(Math.max(Math.ceil(job.scanned / selectors), 10), job.records);
  const some = recordsOf({ ...job, records }, selectors, run);
  for (const record of some.slice(0, 10)) {
    const scanned = predicates.flatMap((ask, i) => (ask(record) === true ? [i] : []));
    if (
      scanned.join() !==
      set
        .match(record)
        .sort((a, b) => a - b)
        .join()
    )
      throw new Error('The index and the scan disagree.');
  }
  const scan = (record: SelectorRecord) => {
    let matched = 0;
    for (const ask of predicates) if (ask(record) === true) matched += 1;
    return matched;
  };
  figures.scanUs.push(timed(some, scan));
}

function measureChanges({ figures, set, job }: Subject): void {
  const { selectors } = figures;
  const texts = [...selectorsOf(job.mix, selectors, job.seed)];
  collect();
  const start = cpuUs();
  const another = new SelectorSet<number>();
  for (let i = 0; i < texts.length; i += 1) another.add(`task-${i}`, parseSelector(texts[i]), i);
  figures.insertMs.push((cpuUs() - start) / 1000);
  const others = [...selectorsOf(job.mix, Math.max(selectors, 10_000), job.seed + 1)].slice(0, 10_000);
  const startOfChanges = cpuUs();
  for (let i = 0; i < others.length; i += 1) {
    set.add(`other-${i}`, parseSelector(others[i]), i);
    set.delete(`other-${i}`);
  }
  figures.changeUs.push((cpuUs() - startOfChanges) / others.length);
}

const job = JSON.parse(process.argv[2] as string) as Job;
// Compiled code and the tables of the runtime are not what a selector costs.
filled(job, 1_000);
const subjects = job.sizes.map((selectors) => subjectOf(job, selectors));
for (let run = -1; run < job.runs; run += 1) {
  for (const subject of subjects) measureMatching(subject, run);
  // What comes first runs code that is not compiled yet.
  if (run === -1) for (const { figures } of subjects) Object.assign(figures, { groupsUs: [], matchUs: [] });
}
for (const subject of subjects) {
  for (let run = 0; run < OTHER_RUNS; run += 1) {
    measureChanges(subject);
    measureScan(subject, run);
  }
}
process.send?.({ figures: subjects.map(({ figures }) => figures), seen }, () => process.disconnect());
