/** The name that a misspelt name most likely means. */

/** Longer names are cut: no known name is near the rest. */
const NAME_LENGTH = 64;

/** The one of `names` that is most similar to `name`, ignoring case. Undefined if none is similar. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase().slice(0, NAME_LENGTH);
  const most = wanted.length < 3 ? 0.5 : wanted.length < 6 ? 1 : 2;
  let nearest: string | undefined;
  let least = most + 0.5;
  for (const known of names) {
    const distance = dissimilarity(wanted, known.toLowerCase());
    if (distance >= least) continue;
    nearest = known;
    least = distance;
  }
  return nearest;
}

/** Edits between two names. If one is a prefix of the other (platform, host, tag), they count as near. */
function dissimilarity(a: string, b: string): number {
  const isPrefix = a.length > 1 && b.length > 1 && (a.startsWith(b) || b.startsWith(a));
  return isPrefix && a !== b ? 0.5 : editDistance(a, b);
}

/** Letters added, removed, replaced, or swapped with their neighbour. */
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
