/** Levenshtein distance up to a maximum, in time proportional to the length of the texts times `max`. */

/** Whether at most `max` insertions, deletions and replacements of characters turn `left` into `right`. */
export function isWithin(left: readonly string[], right: readonly string[], max: number): boolean {
  if (Math.abs(left.length - right.length) > max) return false;
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let i = 1; i <= left.length; i += 1) {
    const from = Math.max(1, i - max);
    const to = Math.min(right.length, i + max);
    const next = new Array<number>(right.length + 1).fill(Number.POSITIVE_INFINITY);
    next[0] = i;
    let least = from === 1 ? i : Number.POSITIVE_INFINITY;
    for (let j = from; j <= to; j += 1) {
      const replaced = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1);
      least = Math.min(least, next[j] as number);
    }
    if (least > max) return false;
    row = next;
  }
  return (row[right.length] as number) <= max;
}
