/** Reads a CPU profile as Node writes it (--cpu-prof), and says which functions took the time themselves. Pure but for the read. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type CallFrame = { functionName: string; url: string; lineNumber: number };
export type CpuProfile = { nodes: { id: number; callFrame: CallFrame }[]; samples: number[]; timeDeltas: number[] };
export type Cost = { name: string; ms: number; share: number };

const NOT_WORK = new Set(['(idle)', '(root)']);
/** A sample is due each millisecond. One that took longer than this was not work: the process was paused for a storm. */
const PAUSE_MS = 200;

/** Self time by function, the largest first; shares are of the time that was not idle. */
export function costsOf({ nodes, samples, timeDeltas }: CpuProfile): Cost[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const ms = new Map<string, number>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    if (NOT_WORK.has(name)) continue;
    const took = (timeDeltas[i] ?? 0) / 1000;
    if (took > PAUSE_MS) continue;
    total += took;
    ms.set(name, (ms.get(name) ?? 0) + took);
  }
  return [...ms].map(([name, took]) => ({ name, ms: took, share: took / total })).sort((a, b) => b.ms - a.ms);
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.includes('/node_modules/')
    ? url.replace(/^.*\/node_modules\//, '')
    : url.replace(/^.*\/(src|bench)\//, '$1/');
  return file === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}

/** The newest profile in the folder. */
export function readNewestProfile(folder: string): CpuProfile {
  const newest = readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .sort()
    .at(-1);
  if (newest === undefined) throw new Error(`no profile in ${folder}`);
  return JSON.parse(readFileSync(join(folder, newest), 'utf8')) as CpuProfile;
}
