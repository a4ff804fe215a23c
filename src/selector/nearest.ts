/** The name that a misspelt one most likely means: of the fields of a sensor, and of what any and all bind around it; or of any names. */
import { SENSOR_FIELD_NAMES } from './fields.ts';

/** Names that people bring along from elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  os: 'plat',
  name: 'hostname',
  computer: 'hostname',
  machine: 'hostname',
  ip: 'int_ip or ext_ip',
  id: 'sid',
  org: 'oid',
  label: 'tags',
  labels: 'tags',
};

/** Longer names than any that is near one of ours. */
const NAME_LENGTH = 64;

/** Undefined where none is near. `bound` are the names that stand for items there. */
export function nearestName(name: string, bound: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const elsewhere = Object.hasOwn(ELSEWHERE, wanted) ? ELSEWHERE[wanted] : undefined;
  return elsewhere ?? nearestOf(name, [...bound, ...SENSOR_FIELD_NAMES]);
}

/** The one of `names` that is most like `name`, whatever its case; undefined where none is near. */
export function nearestOf(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase().slice(0, NAME_LENGTH);
  const most = wanted.length < 3 ? 0.5 : wanted.length < 6 ? 1 : 2;
  let nearest: string | undefined;
  let least = most + 0.5;
  for (const known of names) {
    const distance = unlikeness(wanted, known.toLowerCase());
    if (distance >= least) continue;
    nearest = known;
    least = distance;
  }
  return nearest;
}

/** Edits between two names; a name that begins like the other counts as near (platform, host, tag). */
function unlikeness(a: string, b: string): number {
  const begins = a.length > 1 && b.length > 1 && (a.startsWith(b) || b.startsWith(a));
  return begins && a !== b ? 0.5 : editDistance(a, b);
}

/** Letters added, left out, changed, or changed with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforeLast[j - 2] ?? 0) + 1 : change;
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
