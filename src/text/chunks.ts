/** The items in their order, so many at a time: what came of some can be forgotten before the next are taken. */
export function* pagesOf<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
